"""Speeds, each beside something to compare it with: ``uv run nox -s bench``."""
