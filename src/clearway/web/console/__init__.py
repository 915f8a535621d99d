"""The console: server-rendered pages for duty, dispatch, field and administration."""
