"""Chapters about the rows under the front: what a storage must give it."""
