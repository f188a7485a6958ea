-- Set the value of a key of a view that is inline: name, version, key, value.
INSERT INTO inline_values (name, version, key, value) VALUES (?, ?, ?, ?)
ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value;
