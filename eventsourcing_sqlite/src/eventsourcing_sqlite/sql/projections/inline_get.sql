-- Values of a view that is inline, for the append that changes them.
--   :name, :version   the build
--   :keys             a JSON array
SELECT key, value FROM inline_values
WHERE name = :name AND version = :version AND key IN (SELECT value FROM json_each(:keys));
