"""What is built is what is in the source."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from clearway import __version__
from tools.source import ROOT, files


def test_the_wheel_holds_the_whole_package_and_nothing_else(tmp_path: Path) -> None:
    """Every file of src/clearway under version control is in the wheel, data and declarations included."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("clearway-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
        metadata = archive.read(f"clearway-{__version__}.dist-info/METADATA").decode("utf-8")
    source = ROOT / "src"
    expected = {p.relative_to(source).as_posix() for p in files(ROOT) if source in p.parents}
    assert expected <= packed
    assert {name.split("/")[0] for name in packed} == {"clearway", f"clearway-{__version__}.dist-info"}
    assert f"clearway-{__version__}.dist-info/licenses/NOTICE" in packed
    assert "License-Expression: Apache-2.0" in metadata


def test_versions_agree() -> None:
    """The package and its metadata name the same version, and the changelog has a place for what comes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text("utf-8")
