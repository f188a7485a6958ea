-- What is found by tags. Nothing is in it of a store without tags, which so pays nothing for it. Without
-- the list of what is to be added later: whoever reads would have to look through that, too.
create index if not exists events_tags on {schema}.events using gin (tags)
with (fastupdate = off)
where tags is not null;
