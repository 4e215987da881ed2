"""`Program`: instructions on numbered registers. The compiler makes a straight-line Python function of it."""
