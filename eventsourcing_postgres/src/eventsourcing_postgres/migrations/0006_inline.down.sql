-- Refuses while something is inline: who applies no events inside appends would not miss it.
do $$
begin
    if exists (select from {schema}.projections where inline_from is not null) then
        raise exception 'the store still has inline projections'
            using errcode = 'dependent_objects_still_exist',
                  hint = 'Let them follow first: backend.projections.make_async(name).';
    end if;
end
$$;

drop trigger if exists events_inline on {schema}.events;
drop function {schema}.check_inline();
alter table {schema}.projections drop column inline_from;
