"""What happened: events, their types, ids and metadata."""
