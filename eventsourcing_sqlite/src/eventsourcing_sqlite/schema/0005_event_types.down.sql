-- Back to version 4.

ALTER TABLE projections DROP COLUMN event_types;

PRAGMA user_version = 4;
