"""Groups, tags and conditions on PostgreSQL, beside plain appends and beside other libraries."""
