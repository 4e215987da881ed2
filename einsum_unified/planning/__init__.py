"""`Bound` → contraction path → `Program`."""
