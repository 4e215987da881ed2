"""How a plan is shown: its table, costs, code, data, picture and page."""
