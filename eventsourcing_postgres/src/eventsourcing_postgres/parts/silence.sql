-- $1: how many milliseconds the process may be silent, if the server allows no less.
set_config(
    'idle_in_transaction_session_timeout',
    least(
        nullif(extract(
            epoch from current_setting('idle_in_transaction_session_timeout')::interval
        ) * 1000, 0),
        $1::bigint
    )::bigint::text,
    true
)
