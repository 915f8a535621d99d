"""Point forecasts as JSON in: Open-Meteo, MET Norway and our own structure. See ``package.md``."""

from clearway.exchange.pointjson.parser import read

__all__ = ["read"]
