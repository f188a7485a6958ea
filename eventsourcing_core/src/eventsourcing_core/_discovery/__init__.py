"""What is found by name: plugins, and their options."""
