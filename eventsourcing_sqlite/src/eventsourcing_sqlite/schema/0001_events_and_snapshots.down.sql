-- Back to an empty file.

DROP TABLE snapshots;

DROP TABLE events;

PRAGMA application_id = 0;

PRAGMA user_version = 0;
