-- Whose file this is, at which version, and with which tables (a JSON array).
-- One statement, so one snapshot: a migration that commits meanwhile is seen whole or not at all.
SELECT
    (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version),
    (
        SELECT json_group_array(name)
        FROM sqlite_master
        WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
    );
