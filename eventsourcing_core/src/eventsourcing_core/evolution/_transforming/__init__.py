"""Transforming a store: its events, through upcasters, into a new store."""
