-- Refuse a transaction whose statements all see the store as it was when it began: a condition could not be
-- checked in it, nor a horizon be older than what is read.
create or replace function {schema}.check_isolation_v1() returns void language plpgsql volatile as $$
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception 'this transaction sees the store as it was: a condition cannot be checked in it'
            using errcode = 'ESB01',
                  hint = 'Append with unless_changed in a transaction at READ COMMITTED.';
    end if;
end
$$;

comment on function {schema}.check_isolation_v1 is 'revision 1 for {schema_text}';
