-- The table of a view.
create table {view} (
    key text collate "C" primary key,
    value jsonb not null
)
