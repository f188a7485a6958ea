-- $1: a position. Whether there is an event above it.
select exists (select from {schema}.events where position > $1)
