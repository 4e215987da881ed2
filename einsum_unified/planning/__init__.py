"""Make a program of a bound equation: `Bound` → contraction path → `Program`."""
