"""Chapters about taking events as another store recorded them."""
