-- Builds that are inline: appends themselves apply their events to them, in their own transaction.

alter table {schema}.projections add column inline_from bigint;

-- The trigger events_inline on the table of events calls this; it is made when a build becomes inline
-- for the first time, so that until then no append pays for it. Its argument names all builds that are
-- inline. Whoever inserts events says in the setting what it applies: a program that applies something
-- else, or does not know of this, may not insert any.
create function {schema}.check_inline() returns trigger language plpgsql as $$
declare
    given text := coalesce(current_setting('eventsourcing.inline', true), '');
begin
    if given <> tg_argv[0] then
        raise exception 'these events would be missing in projections that are inline'
            using errcode = 'ESI01',
                  detail = format('wanted "%s", given "%s"', tg_argv[0], given),
                  hint = 'Append with the library, and open the backend with the same inline=.';
    end if;
    return null;
end
$$;
