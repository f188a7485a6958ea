-- $1: a schema, quoted. Names without one mean what is there, until the transaction ends.
select set_config(
    'search_path', concat_ws(', ', $1::text, nullif(current_setting('search_path'), '')), true
)
