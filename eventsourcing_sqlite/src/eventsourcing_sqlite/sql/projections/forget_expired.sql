-- Take the workers of a build off whose lease has run out; their claims are dead with them.
DELETE FROM projection_workers
WHERE
    name = :name AND version = :version
    AND until <= (julianday('now') - 2440587.5) * 86400.0;
