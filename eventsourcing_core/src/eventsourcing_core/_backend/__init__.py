"""What one URL opens: the one place that knows all rooms."""
