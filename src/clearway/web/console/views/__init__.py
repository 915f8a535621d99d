"""View-models of the console: plain data from records, no HTTP."""
