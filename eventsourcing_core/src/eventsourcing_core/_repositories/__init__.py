"""Loading and saving aggregates."""
