"""Chapters about reading one stream and all of them, and about going on with what comes."""
