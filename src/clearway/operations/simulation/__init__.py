"""Stand-ins for people and crews in replays, demos and drills. Everything they do is marked simulated."""
