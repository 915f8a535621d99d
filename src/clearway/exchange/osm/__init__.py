"""OpenStreetMap road extracts in: ``.osm``, ``.osm.gz``, ``.osm.bz2``, ``.osm.pbf``. See package.md."""

from clearway.exchange.osm.importer import import_roads

__all__ = ["import_roads"]
