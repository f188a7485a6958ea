"""Payload families: classes with named fields of other libraries, which a plugin describes."""
