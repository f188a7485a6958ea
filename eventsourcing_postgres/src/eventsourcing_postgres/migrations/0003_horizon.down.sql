drop function {schema}.horizon();
drop view {schema}.appenders;
