"""GRIB model output in. Needs the extra ``clearway[grib]``; importing this package does not."""

from clearway.exchange.grib.parser import read

__all__ = ["read"]
