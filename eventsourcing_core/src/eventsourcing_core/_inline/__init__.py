"""Inline projections: appends themselves apply their events to them, in one transaction."""
