"""Text or sublists → `Equation`. Nothing here looks at operands."""
