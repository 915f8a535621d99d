"""Checks of the source that no ready-made linter does, and the list of all checks: ``./go lint``."""
