"""One file per rule. Each docstring is the rule's public page."""
