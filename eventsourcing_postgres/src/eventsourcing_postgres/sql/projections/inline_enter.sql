-- $1: a schema, quoted; $2: for how long the statements of a handler wait for a lock, or null: as
-- before. Names without a schema mean what is there. Gives what search_path was.
select
    before,
    set_config('search_path', concat_ws(', ', $1::text, nullif(before, '')), true),
    case when $2::text is not null then set_config('lock_timeout', $2, true) end
from (select current_setting('search_path') as before offset 0) as setting
