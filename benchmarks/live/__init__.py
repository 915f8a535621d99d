"""Parts of the live benchmark: the house that is measured, and the many pages that listen."""
