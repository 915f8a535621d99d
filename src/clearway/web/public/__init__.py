"""Public pages: no sign-in, no script needed, nothing that is not public."""
