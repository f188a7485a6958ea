"""How trees become objects of classes with named fields: the source of the functions."""
