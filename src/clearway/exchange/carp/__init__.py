"""Capacitated arc routing files of the literature, in both dialects; see ``package.md``."""

from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.exchange.carp.parser import read

__all__ = ["CarpInstance", "CarpRoad", "read"]
