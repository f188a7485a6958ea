-- Version 6: where the events of a tag stand. A store without tags has no row here.

CREATE TABLE event_tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, position)
) WITHOUT ROWID;

-- The column stood ready since version 2, so somebody may have filled it.
INSERT OR IGNORE INTO event_tags (tag, position)
SELECT value, position
FROM events
CROSS JOIN json_each(tags)
WHERE tags IS NOT NULL
ORDER BY value, position;

PRAGMA user_version = 6;
