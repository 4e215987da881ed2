"""What a plan tells: its table, costs, code, data, picture and page."""
