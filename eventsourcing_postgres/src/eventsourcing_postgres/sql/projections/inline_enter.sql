-- $1: a schema, quoted; $2: for how long the statements of a handler wait for a lock, or null: as
-- before. Names without a schema mean what is there. Gives what search_path and eventsourcing.batch were.
--
-- From here to inline_leave.sql the transaction cannot be committed: see 0008_inline_handlers.up.sql.
with touched as (
    insert into {schema}.inline_handlers (low) values (pg_backend_pid())
    on conflict (low) do update set position = 0
)
select
    path, batch,
    set_config('search_path', concat_ws(', ', $1::text, nullif(path, '')), true),
    set_config('eventsourcing.batch', pg_backend_pid()::text, true),
    case when $2::text is not null then set_config('lock_timeout', $2, true) end
from (
    select
        current_setting('search_path') as path,
        coalesce(current_setting('eventsourcing.batch', true), '') as batch
    offset 0
) as setting
