"""Groups and boundaries: what the front makes of queries, markers and groups."""
