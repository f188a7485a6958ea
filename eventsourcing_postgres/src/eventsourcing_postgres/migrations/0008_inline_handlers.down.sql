drop table {schema}.inline_handlers;
