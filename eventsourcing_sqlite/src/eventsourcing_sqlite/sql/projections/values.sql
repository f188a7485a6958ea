-- The values of keys.
--   :keys   a JSON array
SELECT key, value FROM "view" WHERE key IN (SELECT value FROM json_each(:keys));
