-- The builds that are inline.
select name, version from {schema}.projections where inline_from is not null
