-- Back to version 3: what is inline goes on where it was before, in its own file, and comes up again.

DROP TRIGGER IF EXISTS events_inline;

DROP TABLE inline_values;

ALTER TABLE projections DROP COLUMN inline_from;

PRAGMA user_version = 3;
