"""Tests of records/: what is declared is enforced, what is written down stays."""
