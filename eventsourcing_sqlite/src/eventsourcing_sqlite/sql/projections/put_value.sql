-- Set the value of a key.
INSERT INTO "view" (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;
