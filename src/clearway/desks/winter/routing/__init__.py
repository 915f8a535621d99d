"""Arc routing: which truck serves which roads, in which order and direction (see package.md)."""
