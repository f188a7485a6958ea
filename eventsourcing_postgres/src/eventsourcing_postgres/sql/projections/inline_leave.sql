-- $1: what search_path was before the handler of a projection.
select set_config('search_path', $1, true)
