"""Chapters about a store that is opened again, or twice at the same time."""
