"""Station readings as CSV in: our layout, the Beijing archive, one value a row, lists of stations."""

from clearway.exchange.station_csv.parser import read

__all__ = ["read"]
