"""Arc routing of benchmark and municipal files: problem, bounds, plan, and a checker apart (package.md)."""
