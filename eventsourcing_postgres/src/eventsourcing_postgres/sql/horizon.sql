-- The position up to which nothing is in flight: see the function.
select {schema}.horizon_v1()
