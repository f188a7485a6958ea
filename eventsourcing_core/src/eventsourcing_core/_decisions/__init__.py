"""Deciding by what matches a query, of whatever streams it is."""
