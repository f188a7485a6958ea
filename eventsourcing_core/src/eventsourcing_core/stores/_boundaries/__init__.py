"""What a decision rests on that is not in the stream it writes to."""
