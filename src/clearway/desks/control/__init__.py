"""Control: limits and advice for ice, snow and visibility per corridor, and taking them down again."""
