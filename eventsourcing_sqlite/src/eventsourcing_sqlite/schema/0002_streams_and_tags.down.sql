-- Back to version 1: tags are lost, and what was noted of streams.

DROP VIEW readable_events;

ALTER TABLE events DROP COLUMN tags;

DROP TABLE streams;

PRAGMA user_version = 1;
