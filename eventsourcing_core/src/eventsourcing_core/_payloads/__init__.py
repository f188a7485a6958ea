"""From payload objects to trees of plain values, and to bytes."""
