"""Tests of the salt-spreading adapter."""
