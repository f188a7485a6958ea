"""The contract of payload families."""
