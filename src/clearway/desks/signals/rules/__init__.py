"""One file per hazard. Each docstring is the rule's public page."""
