"""Tests of the station_csv adapter."""
