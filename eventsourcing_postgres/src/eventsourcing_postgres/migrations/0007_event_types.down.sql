alter table {schema}.projections drop column event_types;
