"""Events in an SQLite file: the embedded, durable backend."""
