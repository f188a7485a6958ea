"""Aggregates, and how events become their state."""
