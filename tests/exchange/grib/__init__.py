"""Tests of the grib adapter."""
