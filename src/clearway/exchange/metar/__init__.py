"""METAR and SPECI bulletins in: framing is ours, the body is read by the ``metar`` library."""

from clearway.exchange.metar.parser import MetarReading, read
from clearway.exchange.metar.report import MetarReport

__all__ = ["MetarReading", "MetarReport", "read"]
