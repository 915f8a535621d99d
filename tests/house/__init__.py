"""Tests of the house itself: the two commands, the lints, the fixtures, the benchmark harness."""
