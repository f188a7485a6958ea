"""What a schema consists of, to be compared with another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

_SHAPE = """
select 'column', table_name, column_name, concat_ws(' ', data_type, udt_name, collation_name,
    is_nullable, column_default)
from information_schema.columns
where table_schema = $1 and table_name <> 'schema_migrations'
union all
select 'view', viewname, definition, '' from pg_views where schemaname = $1
union all
select 'function', proname, pg_get_functiondef(oid), obj_description(oid, 'pg_proc') from pg_proc
where pronamespace = $1::regnamespace
union all
select 'index', tablename, indexname, indexdef from pg_indexes
where schemaname = $1 and tablename <> 'schema_migrations'
union all
select 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid), '' from pg_trigger
where tgrelid in (select oid from pg_class where relnamespace = $1::regnamespace)
    and not tgisinternal
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = $1::regnamespace
    and conrelid <> to_regclass(quote_ident($1) || '.schema_migrations')
union all
select 'storage', relname, relpersistence::text, reloptions::text from pg_class
where relnamespace = $1::regnamespace and relkind = 'r' and relname <> 'schema_migrations'
order by 1, 2, 3
"""


async def shape_of(
    pool: asyncpg.Pool[asyncpg.Record], schema: str = "eventsourcing"
) -> list[tuple[object, ...]]:
    """Give columns, views, functions, indexes, triggers, constraints and how tables are stored.

    Not those of the list of migrations.
    """
    return [tuple(row) for row in await pool.fetch(_SHAPE, schema)]
