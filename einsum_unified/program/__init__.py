"""`Program`: instructions on numbered registers, compiled to one straight-line Python function."""
