"""Parts of the records benchmark: the workload, the ingest beside it, the long journal."""
