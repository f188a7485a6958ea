-- $1: keys of a view, which have no value from now on.
delete from {view} where key = any ($1)
