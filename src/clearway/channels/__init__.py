"""Delivery out: a durable outbox, and channels that carry messages away (or, in drills, only record them)."""
