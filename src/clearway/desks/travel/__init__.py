"""Travel: what a road will be like, how fast to go on it, and when it is better to go."""
