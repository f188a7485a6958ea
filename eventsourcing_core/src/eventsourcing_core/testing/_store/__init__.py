"""Chapters about a store as a whole: its values, what it refuses, how long it lives."""
