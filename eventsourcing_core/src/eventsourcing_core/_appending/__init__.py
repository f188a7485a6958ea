"""Waiting appends: they share a write, in an order that keeps each stream's own."""
