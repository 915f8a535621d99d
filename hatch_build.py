"""Build hook of the wheel: bundle the console's scripts with Deno, which comes from the Python index.

No Node is needed. Where Deno or the npm packages cannot be had, the build goes on without the bundle and says
so: pages of the console work without scripts. ``CLEARWAY_CONSOLE=required`` makes that a failure,
``CLEARWAY_CONSOLE=skip`` leaves the bundle out on purpose.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ENTRIES = {
    "console.js": "console.ts",
    "map.js": "map.ts",
    "map-worker.js": "node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs",
    "field.js": "field.ts",
    "sw.js": "sw.ts",
    "passkey.js": "passkey.ts",
}
"""Script to write and what it is made of; MapLibre 6 needs its worker bundled on its own."""
STYLES = ("maplibre-gl/dist/maplibre-gl.css", "uplot/dist/uPlot.min.css")
TIMEOUT_S = 300
WHY_NOT = "NOT_BUILT"
"""File beside the bundle that says why there is none; tests that need the bundle read it."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for wheels and editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle unless the bundle of exactly these sources is there already."""
        root = Path(self.root)
        source = root / "src" / "clearway" / "web" / "frontend"
        target = root / "src" / "clearway" / "web" / "static" / "dist"
        wanted = os.environ.get("CLEARWAY_CONSOLE", "")
        if wanted == "skip" or not source.is_dir():
            return
        stamp = digest(source)
        if (target / "STAMP").is_file() and (target / "STAMP").read_text() == stamp:
            return
        try:
            bundle(source, target)
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            if wanted == "required":
                raise
            detail = (getattr(error, "stderr", "") or str(error))[-400:]
            print(f"clearway: console scripts not built, pages work without: {detail}", file=sys.stderr)
            target.mkdir(parents=True, exist_ok=True)
            (target / WHY_NOT).write_text(f"{'unreachable' if no_packages(error) else 'broken'}: {detail}")
            return
        (target / WHY_NOT).unlink(missing_ok=True)
        (target / "STAMP").write_text(stamp)


def no_packages(error: Exception) -> bool:
    """Whether Deno or the npm packages could not be had, as against a bundle that is broken."""
    return isinstance(error, ImportError) or "install" in getattr(error, "cmd", ())


def digest(source: Path) -> str:
    """Hash of everything the bundle is made of."""
    found = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def bundle(source: Path, target: Path) -> None:
    """Install the locked npm packages and write one script per entry into ``target``."""
    import deno

    program = deno.find_deno_bin()
    env = {**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}

    def run(*words: str) -> None:
        subprocess.run(
            [program, *words],
            cwd=source,
            env=env,
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    run("install", "--frozen")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, entry in ENTRIES.items():
        run("bundle", "--platform", "browser", "--minify", "-o", str(target / name), entry)
        if not (target / name).stat().st_size:
            raise OSError(f"the bundle {name} came out empty")
    for style in STYLES:
        shutil.copyfile(source / "node_modules" / style, target / Path(style).name)
