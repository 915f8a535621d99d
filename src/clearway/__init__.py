"""Clearway: an operations system for severe weather and mass travel."""

__version__ = "0.1.0"
