-- $1: for how many milliseconds this transaction waits for a lock.
select set_config('lock_timeout', $1::bigint::text, true)
