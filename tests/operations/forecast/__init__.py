"""Tests of the weather of the picture."""
