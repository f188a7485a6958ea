-- Back to version 2: builds are forgotten, and their files are left beside this one.

DROP TABLE projection_claims;

DROP TABLE projection_workers;

DROP TABLE projections;

PRAGMA user_version = 2;
