"""The public page as a traveller gets it: Lighthouse, bytes on the wire, and how long it says it may be kept.

The house over the shipped roads of Beijing in the storm, on loopback in this process. Lighthouse 13 (from
npm, run by Deno, which comes with the development set-up) loads it in Debian's chromium as a slow phone would
and gives each category 0 to 100. It needs the npm registry once; where that cannot be reached the benchmark
says so and fails. No peer: the targets are those of whoever reads the page at two in the morning.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Final

from benchmarks.bench_console import _house
from benchmarks.harness import Row

LIGHTHOUSE: Final = "npm:lighthouse@13.5.0"
CATEGORIES: Final = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best practice",
}
FLAGS: Final = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"
TIMEOUT_S: Final = 400


def lighthouse(address: str, chromium: str, folder: Path) -> dict[str, Any]:
    """Run Lighthouse once and read its report.

    Raises:
        RuntimeError: Deno, the npm package or the browser could not do it; says which.
    """
    import deno

    out = folder / "report.json"
    words = [deno.find_deno_bin(), "run", "-A", "--node-modules-dir=auto", LIGHTHOUSE, address, "--quiet"]
    words += ["--output=json", f"--output-path={out}", f"--chrome-flags={FLAGS}"]
    words += [f"--only-categories={','.join(CATEGORIES)}"]
    env = {**os.environ, "CHROME_PATH": chromium, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode or not out.is_file():
        raise RuntimeError(f"Lighthouse did not run: {(done.stderr or done.stdout)[-600:]}")
    report: dict[str, Any] = json.loads(out.read_text())
    if report.get("runtimeError"):
        raise RuntimeError(f"Lighthouse could not load the page: {report['runtimeError']}")
    return report


def _fetch(address: str) -> tuple[bytes, dict[str, str]]:
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read(), {k.lower(): v for k, v in answer.headers.items()}


def _weight(address: str, language: str) -> tuple[float, int]:
    """Compressed kilobytes of the page with its style and script, and its max-age [s]."""
    page, headers = _fetch(f"{address}/?lang={language}")
    assert headers["content-encoding"] == "gzip"
    text = gzip.decompress(page).decode()
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    total = len(page) + sum(len(_fetch(address + part)[0]) for part in parts)
    kept = re.search(r"max-age=(\d+)", headers["cache-control"])
    return total / 1000, int(kept.group(1)) if kept else 0


def run(quick: bool) -> list[Row]:
    """Measure."""
    from tests.support import chromium

    browser = chromium.program()
    if browser is None:
        raise RuntimeError("chromium is not installed")
    times = 1 if quick else 3
    rows = []
    with _house(2) as (_, _, address), tempfile.TemporaryDirectory() as name:
        weights = {language: _weight(address, language) for language in ("en", "zh")}
        for language in ("en", "zh"):
            reports = [lighthouse(f"{address}/?lang={language}", browser, Path(name)) for _ in range(times)]
            for key, words in CATEGORIES.items():
                scores = [100 * float(r["categories"][key]["score"]) for r in reports]
                missed = sorted(
                    k
                    for k in (ref["id"] for ref in reports[-1]["categories"][key]["auditRefs"])
                    if (reports[-1]["audits"][k].get("score") or 0) < 1
                    and reports[-1]["audits"][k]["scoreDisplayMode"] in ("binary", "numeric")
                )
                note = f"worst of {times}; simulated slow phone" + (
                    f"; not full: {', '.join(missed)}" if missed else ""
                )
                rows.append(Row(f"Lighthouse, {words}, {language}", min(scores), target=">= 95", note=note))
        for language, (kilobytes, _) in weights.items():
            rows.append(
                Row(
                    f"public page with style and script, {language}",
                    kilobytes,
                    unit="kB",
                    target="<= 100",
                    note="gzip, without the map",
                )
            )
        oldest = max(age for _, age in weights.values())
        rows.append(Row("public page may be kept", float(oldest), unit="s", target="<= 30", note="max-age"))
    return rows
