"""Tests of the series room."""
