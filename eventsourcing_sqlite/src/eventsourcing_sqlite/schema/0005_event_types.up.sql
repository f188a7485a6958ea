-- Version 5: the events that a build is given, a JSON array: processes that disagree on them would leave
-- some out. NULL: all; empty: it was registered before this column was there.

ALTER TABLE projections ADD COLUMN event_types TEXT DEFAULT '[]';

PRAGMA user_version = 5;
