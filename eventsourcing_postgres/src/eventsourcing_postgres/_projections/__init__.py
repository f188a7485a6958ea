"""Builds of projections: their registry, progress and claims, and what they have made."""
