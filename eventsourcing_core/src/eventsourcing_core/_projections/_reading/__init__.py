"""From the rows of a page to events with their keys."""
