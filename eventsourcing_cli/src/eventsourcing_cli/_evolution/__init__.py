"""The commands about how events change: freeze, compare, check and catalogue."""
