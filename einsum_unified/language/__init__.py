"""Text or sublists → `Equation`. Nothing here knows an operand."""
