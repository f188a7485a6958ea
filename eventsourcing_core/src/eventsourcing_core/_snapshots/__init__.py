"""Snapshots: a cache of state beside the events."""
