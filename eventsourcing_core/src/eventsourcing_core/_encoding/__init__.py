"""The one road between events and stored bytes."""
