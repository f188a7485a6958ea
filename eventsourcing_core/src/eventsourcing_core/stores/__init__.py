"""The door for authors of stores."""
