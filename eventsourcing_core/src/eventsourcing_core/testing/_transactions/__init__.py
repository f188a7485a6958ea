"""Chapters about several writes that are kept together."""
