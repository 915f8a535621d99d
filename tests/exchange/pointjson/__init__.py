"""Tests of the pointjson adapter."""
