-- A page of values by key of a build that is inline; else no row at all. Where there are no values left,
-- the one row has no key. Conditions on fields are put before WHERE.
--   :name, :version   the build
--   :after            the last key of the page before
--   :rows             at most so many
SELECT found.key, found.value
FROM projections AS live
LEFT JOIN inline_values AS found
    ON found.name = live.name AND found.version = live.version AND found.key > :after
WHERE live.name = :name AND live.version = :version AND live.inline_from IS NOT NULL
ORDER BY found.key
LIMIT :rows;
