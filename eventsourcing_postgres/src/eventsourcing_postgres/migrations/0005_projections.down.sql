-- Refuses while there are projections: what they have made is in schemas of their own, which nothing
-- would lead to any more. Drop them first, each by its name.
do $$
begin
    if exists (select from {schema}.projections) then
        raise exception 'the store still has projections'
            using errcode = 'dependent_objects_still_exist',
                  hint = 'Drop them first: backend.projections.drop(name, version).';
    end if;
end
$$;

drop table {schema}.parked_events;
drop table {schema}.parked_keys;
drop table {schema}.projection_claims;
drop table {schema}.projection_workers;
drop table {schema}.projection_segments;
drop function {schema}.refuse_commit_of_batch();
drop table {schema}.projections;
