-- The arguments are those of the function, which says what they hold.
select
    {schema}.append_one_v1($1, $2, $3::text::uuid, $4, $5, $6, $7, $8, $9),
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
