"""Tests of the CARP adapter."""
