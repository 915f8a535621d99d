"""Vector tiles of the network, made once at import (Mapbox Vector Tile 2.1 in a PMTiles v3 archive)."""

from clearway.network.tiles.build import TileReport, build_tiles
from clearway.network.tiles.store import TileStore

__all__ = ["TileReport", "TileStore", "build_tiles"]
