"""The page of `Plan.to_html`: one HTML file that shows a plan and steps through its indices."""
