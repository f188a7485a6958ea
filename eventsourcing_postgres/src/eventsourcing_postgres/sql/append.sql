-- The arguments are those of the function, which says what they hold.
select stream_version, last_position
from {schema}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
