"""What follows the log: views, projections and reactors, and the processes that run them."""
