"""The picture of a plan: how the operands' axes are wired, and the tree of the steps, as SVG."""
