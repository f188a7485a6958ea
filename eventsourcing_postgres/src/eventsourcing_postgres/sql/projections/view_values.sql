-- $1: keys of a view. The values of those that have one.
select key, value::text from {view} where key = any ($1)
