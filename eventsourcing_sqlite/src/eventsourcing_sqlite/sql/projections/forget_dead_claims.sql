-- Take the claims of a build off that nobody holds any more.
DELETE FROM projection_claims
WHERE
    name = :name AND version = :version
    AND owner NOT IN (
        SELECT owner FROM projection_workers WHERE name = :name AND version = :version
    );
