-- Who holds the horizon back: the one with the lowest floor first.
select floor, pid, since, state, application_name from {schema}.appenders order by floor, since
