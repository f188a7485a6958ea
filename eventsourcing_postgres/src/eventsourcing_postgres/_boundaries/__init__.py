"""Groups, tags and conditions: appends that more than one stream has a say in."""
