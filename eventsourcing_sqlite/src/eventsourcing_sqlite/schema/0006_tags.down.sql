-- Back to version 5: the events keep their tags, and nothing finds them by these.

DROP TABLE event_tags;

PRAGMA user_version = 5;
