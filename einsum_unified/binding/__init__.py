"""`Equation` and operands → `Bound`. All checks that need operands are here."""
