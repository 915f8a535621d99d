"""Floor 3: what we know at a moment, and the protocol by which desks read it."""
