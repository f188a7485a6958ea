"""What is measured: a module each, with a function that takes a ``Run``."""
