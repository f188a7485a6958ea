drop function {schema}.horizon();
drop view {schema}.appenders;
drop view {schema}.floors;
