-- Until the transaction ends: $1, how many milliseconds the process may be silent in it, if the server
-- allows no less; $2, how many milliseconds it waits for a lock. A process that stands still in it would
-- else hold its locks for as long as it stands.
select
    {part silence},
    set_config('lock_timeout', $2::bigint::text, true)
