-- $1 to $7: the columns of a build that is new.
insert into {schema}.projections
    (name, version, kind, class_name, indexes, state, wanted_segments)
values ($1, $2, $3, $4, $5, $6, $7)
