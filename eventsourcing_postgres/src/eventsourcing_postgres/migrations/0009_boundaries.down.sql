drop index {schema}.events_tags;
