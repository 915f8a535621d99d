"""The command ``clearway import roads``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from clearway.cli.import_ import app
from clearway.kernel.errors import InputError
from clearway.network.store import load
from clearway.network.tiles import TileStore
from tests.support.roads import osm_xml, street_grid


def test_import_roads_writes_network_and_tiles(tmp_path: Path) -> None:
    """The folder holds a network and tiles; the report says how much and whose data it is."""
    nodes, ways = street_grid(5, 4)
    file = tmp_path / "town.osm"
    file.write_bytes(osm_xml(nodes, [*ways, (900, [1, 2], {"highway": "service", "access": "no"})]))
    words = ["roads", str(file), "--out", str(tmp_path / "net"), "--city-zh", "小城", "--city-en", "Town"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    network = load(tmp_path / "net", verify=True)
    assert f"{network.count} segments" in result.output
    assert "OpenStreetMap" in result.output
    assert "access=no" in result.output
    assert network.areas[-1].name.zh == "小城"
    assert TileStore(tmp_path / "net").get(14, 13_484, 6207) or TileStore(tmp_path / "net").metadata


def test_second_import_keeps_corridor_ids(tmp_path: Path) -> None:
    """Importing a newer file into the same folder reports what changed and keeps ids."""
    nodes, ways = street_grid(5, 4)
    file = tmp_path / "town.osm"
    file.write_bytes(osm_xml(nodes, ways))
    words = ["roads", str(file), "--out", str(tmp_path / "net"), "--no-tiles"]
    CliRunner().invoke(app, words)
    before = {c.id for c in load(tmp_path / "net").corridors}
    renamed = [(n, r, {**t, "name": "新名街"} if n == 2 else t) for n, r, t in ways]
    file.write_bytes(osm_xml(nodes, renamed))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "compared with the network before" in result.output
    assert {c.id for c in load(tmp_path / "net").corridors} == before
    assert not (tmp_path / "net" / "roads.pmtiles").exists()


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """A wrong file ends in the error of the import, not in a trace of its own."""
    file = tmp_path / "x.osm.pbf"
    file.write_bytes(b"nothing")
    result = CliRunner().invoke(app, ["roads", str(file), "--out", str(tmp_path / "net")])
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "net").exists()
