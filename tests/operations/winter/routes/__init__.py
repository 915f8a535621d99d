"""Tests of arc routing of files."""
