"""An aggregate's state as a tree of plain values."""
