"""Tests of the metar adapter."""
