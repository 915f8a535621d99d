"""Tests of Clearway; folders mirror the source."""
