drop function {schema}.append(
    text[], bigint[], integer[], integer[], integer[], uuid[], text[], bytea[], bytea[], text[],
    bigint[], integer
);
drop function {schema}.lock_class();
