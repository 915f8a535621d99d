"""HTTP API, version 1: commands in, records out. The same authority table as everywhere."""
