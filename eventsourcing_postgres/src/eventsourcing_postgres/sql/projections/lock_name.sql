-- $1: the name of a projection. One process at a time registers builds of it in this store.
select pg_advisory_xact_lock(hashtextextended('{schema_text} ' || $1, 0))
