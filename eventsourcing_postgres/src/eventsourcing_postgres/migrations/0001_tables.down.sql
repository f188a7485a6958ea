-- Drops every event of the store.

drop table {schema}.snapshots;
drop view {schema}.readable_events;
drop table {schema}.events;
drop function {schema}.refuse_change();
drop sequence {schema}.events_position;
drop table {schema}.streams;
