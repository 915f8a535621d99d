"""Measurements side by side with a peer, in one run. ``./go bench --list`` names them."""
