"""A page that teaches an equation: `Plan.to_html` as one HTML file, with an index stepper."""
