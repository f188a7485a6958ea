"""Several streams, tags, and conditions on what matches."""
