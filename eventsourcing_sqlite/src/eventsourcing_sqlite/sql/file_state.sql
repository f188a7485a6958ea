-- Whose file this is, at which version, and with which tables (a JSON array).
-- One statement, so one snapshot: a migration that commits meanwhile is seen whole or not at all.
-- Without what SQLite itself and tools around it keep in any file: Litestream, which may open the
-- empty file first, Cloudflare's Durable Objects (_cf_) and Android. Views count, too.
SELECT
    (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version),
    (
        SELECT json_group_array(name)
        FROM sqlite_master
        WHERE
            type IN ('table', 'view')
            AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
            AND name NOT LIKE '\_litestream\_%' ESCAPE '\'
            AND name NOT LIKE '\_cf\_%' ESCAPE '\'
            AND name <> 'android_metadata'
    );
