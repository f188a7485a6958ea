-- $1 to $8: the columns of a build that is new.
insert into {schema}.projections
    (name, version, kind, class_name, indexes, state, wanted_segments, event_types)
values ($1, $2, $3, $4, $5, $6, $7, $8)
