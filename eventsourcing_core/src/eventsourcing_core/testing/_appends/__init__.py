"""Chapters about writing to one stream."""
