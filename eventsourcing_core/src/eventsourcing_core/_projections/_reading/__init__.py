"""From the rows of a page to the keys that they belong to, and to events where they are applied."""
