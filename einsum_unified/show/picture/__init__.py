"""The picture of a plan as SVG: which axes are joined, and the tree of the steps."""
