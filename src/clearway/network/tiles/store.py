"""Reading tiles for the web."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from clearway.network.tiles.pmtiles import Archive

FILE_NAME = "roads.pmtiles"


class TileStore:
    """Tiles of a stored network. ``path`` is the archive or the folder of the network."""

    def __init__(self, path: str | Path) -> None:
        """Open the archive.

        Raises:
            InputError: no archive there, or a damaged one.
        """
        path = Path(path)
        self._archive = Archive(path / FILE_NAME if path.is_dir() else path)

    @property
    def min_zoom(self) -> int:
        """Lowest zoom level with tiles."""
        return self._archive.min_zoom

    @property
    def max_zoom(self) -> int:
        """Highest zoom level with tiles; clients stretch these beyond it."""
        return self._archive.max_zoom

    @property
    def metadata(self) -> dict[str, Any]:
        """TileJSON-like description: ``vector_layers``, ``attribution``, ``bounds`` …"""
        return self._archive.metadata

    def get(self, zoom: int, x: int, y: int) -> bytes:
        """A tile as plain MVT bytes, ``b""`` where there is none."""
        data = self._archive.tile(zoom, x, y)
        return gzip.decompress(data) if data else b""

    def get_gzipped(self, zoom: int, x: int, y: int) -> bytes:
        """A tile as stored, to be sent with ``Content-Encoding: gzip``; ``b""`` where there is none."""
        return self._archive.tile(zoom, x, y)

    def close(self) -> None:
        """Release the file."""
        self._archive.close()
