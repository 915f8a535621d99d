"""Floor 1: rules as data. Packs per country and province, a loader, the provenance of every number."""

from clearway.doctrine.loader import load_doctrine, with_local
from clearway.doctrine.model import Conflict, Doctrine, Sourced

__all__ = ["Conflict", "Doctrine", "Sourced", "load_doctrine", "with_local"]
