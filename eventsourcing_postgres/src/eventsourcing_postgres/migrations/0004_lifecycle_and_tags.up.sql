-- What later versions need of the tables, and functions that are no longer made here: those that this
-- version calls are in the folder "functions", are made again by every migrate, and carry a number
-- in their name. The ones without a number stay, for processes of the version before that still run.
--
-- Each column is null or a constant, so no row is written: the tables are locked for a moment only.

alter table {schema}.streams
    add column first_version bigint not null default 1,
    add column deleted_at bigint,
    add column archived_at bigint;

alter table {schema}.events add column tags text[] collate "C";

-- Text where the encoding is text, and null where it is not. Not jsonb, which refuses NaN and NUL: a
-- payload may hold them. And only in a database of UTF-8: another one has no form for every character.
create or replace view {schema}.readable_events as
select
    position, stream_id, version, event_type, event_id,
    timestamptz 'epoch' + "timestamp" / 1000000 * interval '1 second'
        + "timestamp" % 1000000 * interval '1 microsecond' as happened_at,
    encoding, data, metadata,
    case when is_text then convert_from(data, 'UTF8') end as data_text,
    case when is_text then convert_from(metadata, 'UTF8') end as metadata_text,
    tags
from {schema}.events, lateral (
    select encoding = 'json' and getdatabaseencoding() = 'UTF8' as is_text
) as judged;

-- The number that marks this store's advisory locks, as before. All versions of the functions share
-- it, so it has no number in its name and never changes. Without a text that names the schema, it
-- means the same sequence after the schema was renamed, and so does the view "floors", which calls it.
create or replace function {schema}.lock_class() returns bigint language sql stable
return 1 + '{schema_text}.events_position'::regclass::oid::bigint % 65535;
