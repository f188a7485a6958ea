-- Drops every event of the store.

drop table {schema}.snapshots;
drop table {schema}.events;
drop function {schema}.refuse_change();
drop sequence {schema}.events_position;
drop table {schema}.streams;
