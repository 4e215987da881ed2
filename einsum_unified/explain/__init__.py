"""See what runs: exact costs of a plan, step by step."""
