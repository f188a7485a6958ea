-- Version 3: which builds of projections there are, and who works on them.

-- What a build has made, and how far it is, is in a file of its own beside this one.
CREATE TABLE projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- view, projection or reactor
    class_name TEXT NOT NULL,
    indexes TEXT NOT NULL,                  -- a JSON array of fields
    state TEXT NOT NULL,                    -- building, live or retired
    is_paused INTEGER NOT NULL DEFAULT 0,
    switching_until REAL,                   -- seconds since 1970 in UTC; NULL: it is not
    wanted_segments INTEGER NOT NULL,
    file TEXT NOT NULL,                     -- its name, in the folder of this file
    file_id BLOB NOT NULL,                  -- the same as in that file
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

CREATE UNIQUE INDEX projections_live ON projections (name) WHERE state = 'live';

-- A process that works on a build.
CREATE TABLE projection_workers (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    owner TEXT NOT NULL,
    until REAL NOT NULL,                    -- when its lease runs out: seconds since 1970 in UTC
    most INTEGER,                           -- segments that it takes; NULL: all
    last_error TEXT,
    PRIMARY KEY (name, version, owner)
) WITHOUT ROWID;

-- A claim lasts as long as the lease of the worker that has it.
CREATE TABLE projection_claims (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    low INTEGER NOT NULL,                   -- the lowest hash of the segment
    owner TEXT NOT NULL,
    PRIMARY KEY (name, version, low)
) WITHOUT ROWID;

PRAGMA user_version = 3;
