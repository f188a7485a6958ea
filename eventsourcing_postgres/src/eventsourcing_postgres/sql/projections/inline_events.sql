-- Waits for whoever inserts events, and keeps others from it until the transaction ends, since that is
-- what making a trigger does. {wanted}: what all of them have to apply from then on.
create or replace trigger events_inline before insert on {schema}.events
for each statement execute function {schema}.check_inline('{wanted}')
