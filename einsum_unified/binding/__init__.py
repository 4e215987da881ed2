"""`Equation` and operands → `Bound`. Every check that needs an operand is here."""
