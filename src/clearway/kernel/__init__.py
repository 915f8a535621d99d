"""Floor 0: clock, ids, units, levels, geometry, language, errors. Imports nothing of Clearway."""
