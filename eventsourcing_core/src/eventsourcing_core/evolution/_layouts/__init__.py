"""Layouts: from hints, as texts, as examples of what is stored, and as classes again."""
