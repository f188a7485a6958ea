-- $1: a position; $2: the highest one that counts. Whether there is an event above $1, and whether it
-- is the very next one.
select
    exists (select from {schema}.events where position > $1 and position <= $2),
    exists (select from {schema}.events where position = $1 + 1)
