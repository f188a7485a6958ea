-- Values of the live build of a view, if it is inline; else no row at all.
--   :name   the view
--   :keys   a JSON array
SELECT found.key, found.value
FROM projections AS live
LEFT JOIN inline_values AS found
    ON
        found.name = live.name AND found.version = live.version
        AND found.key IN (SELECT each.value FROM json_each(:keys) AS each)
WHERE live.name = :name AND live.state = 'live' AND live.inline_from IS NOT NULL;
