-- A page of values by key. Conditions on fields are put before the order.
--   :after   the last key of the page before
--   :rows    at most so many
SELECT key, value FROM "view" WHERE key > :after
ORDER BY key
LIMIT :rows;
