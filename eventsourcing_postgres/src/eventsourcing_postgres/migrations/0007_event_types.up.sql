-- The events that a build is given: processes that disagree on them would leave some out. Null: all; empty:
-- it was registered before this column was there.
alter table {schema}.projections add column event_types text[] collate "C" default '{}';
