"""Builds of projections: what the store's file knows of them, and a file of its own for each."""
