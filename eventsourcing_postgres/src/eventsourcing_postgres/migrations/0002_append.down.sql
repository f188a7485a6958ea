drop function {schema}.append_one(
    text, bigint, uuid, text, bytea, bytea, text, bigint, text
);
drop function {schema}.append(
    text[], bigint[], integer[], integer[], integer[], uuid[], text[], bytea[], bytea[], text[],
    bigint[], text, boolean
);
drop function {schema}.publish_first_floor();
drop function {schema}.floor_key();
drop function {schema}.version_of(text);
drop function {schema}.advance(text, bigint, integer);
drop function {schema}.lock_class();
