"""Command: words to the public, from the first warning to the last lift."""
