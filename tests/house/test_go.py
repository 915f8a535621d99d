"""The two commands set themselves up, say clearly what is wrong, and need nothing newer than they say."""

from __future__ import annotations

import ast
import hashlib
import http.server
import importlib.machinery
import importlib.util
import io
import json
import os
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from clearway import __version__
from tools.source import ROOT

SETTINGS = ("PIP_", "UV_", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "CLEARWAY_")
VERSION = f"clearway {__version__}\n"


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file ``go`` as a module that believes to live in an empty place, on a machine without settings."""
    for key in [key for key in os.environ if key.startswith(SETTINGS)]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    loader = importlib.machinery.SourceFileLoader("go_under_test", str(ROOT / "go"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    root = tmp_path / "root"
    root.mkdir()
    places = {"ROOT": root, "VENV": root / ".venv", "TOOLS": root / ".tools", "LOCKS": root / "requirements"}
    places |= {"STAMP": root / ".venv" / "clearway-setup.json", "LOG": root / ".tools" / "setup.log"}
    places |= {"PYTHON": root / ".venv" / "bin" / "python", "BIN": root / ".venv" / "bin"}
    for key, value in places.items():
        monkeypatch.setattr(module, key, value)
    monkeypatch.setattr(module, "pip_files", lambda: [tmp_path / "pip.conf"])
    return module


# --- settings ---------------------------------------------------------------------------------------------


def test_old_pythons_can_read_it() -> None:
    """No syntax newer than Python 3.7, so that an old Python can say what is missing or find a newer one."""
    ast.parse((ROOT / "go").read_text("utf-8"), feature_version=(3, 7))


def test_it_stands_alone() -> None:
    """Only the standard library is imported, and the file may be executed."""
    tree = ast.parse((ROOT / "go").read_text("utf-8"))
    names = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names
    assert (ROOT / "go").stat().st_mode & stat.S_IXUSR


def test_pip_settings_reach_uv(go: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip.conf and PIP_* say about indexes, certificates and wheels is passed on; variables win."""
    conf = (
        "[global]\nindex-url = https://one.invalid/simple\ncert = /ca.pem\n[install]\nfind-links = /w\n  /v\n"
    )
    (tmp_path / "pip.conf").write_text(conf + "trusted-host = one.invalid\n", "utf-8")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.invalid/simple https://three.invalid/simple")
    env = go.uv_env()
    assert env["UV_DEFAULT_INDEX"] == "https://one.invalid/simple"
    assert env["UV_INDEX"].split() == ["https://two.invalid/simple", "https://three.invalid/simple"]
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert (env["SSL_CERT_FILE"], env["UV_FIND_LINKS"]) == ("/ca.pem", "/w,/v")
    assert env["UV_INSECURE_HOST"] == "one.invalid"
    monkeypatch.setenv("PIP_INDEX_URL", "https://four.invalid/simple")
    assert go.uv_env()["UV_DEFAULT_INDEX"] == "https://four.invalid/simple"


@pytest.mark.parametrize("told", ["variable", "file"])
def test_what_uv_was_told_stays(
    go: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """An index named to uv itself, by a variable or in uv.toml, is not replaced by pip's."""
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://one.invalid/simple\n", "utf-8")
    if told == "variable":
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.invalid/simple")
    else:
        folder = tmp_path / "home" / ".config" / "uv"
        folder.mkdir(parents=True)
        (folder / "uv.toml").write_text("", "utf-8")
    assert "UV_DEFAULT_INDEX" not in go.uv_env()


def test_a_broken_pip_conf_is_named_not_fatal(
    go: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file pip could not read either does not stop the set-up, but is said."""
    (tmp_path / "pip.conf").write_text("no section\n", "utf-8")
    assert go.pip_settings() == {}
    assert "pip.conf" in capsys.readouterr().err


def test_no_index_is_passed_on(go: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forbids every index, in pip's words or uv's, is obeyed."""
    assert go.no_index() == []
    (tmp_path / "pip.conf").write_text("[global]\nno-index = true\n", "utf-8")
    assert go.no_index() == ["--no-index"]
    (tmp_path / "pip.conf").unlink()
    monkeypatch.setenv("UV_NO_INDEX", "1")
    assert go.no_index() == ["--no-index"]


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "error: Failed to fetch: `https://m.invalid/simple/x/`\n dns error",
            ["m.invalid could not be reached"],
        ),
        ("tcp connect error: Connection refused", ["the package index could not be reached", "HTTPS_PROXY"]),
        (
            "invalid peer certificate: UnknownIssuer https://m.invalid/",
            ["could not be reached", "SSL_CERT_FILE"],
        ),
        ("OSError: [Errno 28] No space left on device", ["the disk is full"]),
        ("error: Hash mismatch for numpy==2", ["not the one that was locked"]),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", ["not the one that was locked"]),
        ("error: something else", ["installing failed", "something else"]),
    ],
)
def test_failures_are_explained(go: ModuleType, output: str, words: list[str]) -> None:
    """Each way to fail is told apart, with what was said and what to set."""
    said = go.explain_failure("installing", output)
    assert all(word in said for word in words)


def test_secrets_in_addresses_are_not_shown(go: ModuleType) -> None:
    """Names and passwords inside addresses do not reach the screen."""
    said = go.explain_failure("x", "error sending request for https://me:s3cr3t@m.invalid/simple/")
    assert "s3cr3t" not in said
    assert "m.invalid" in said


def test_an_old_python_hands_over_or_says_so(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by too old a Python it goes on with a newer one from PATH, or says what it needs."""
    monkeypatch.setattr(go.sys, "version_info", (3, 8, 0))
    monkeypatch.setattr(go.sys, "argv", ["go", "demo", "--x"])
    monkeypatch.setattr(go.shutil, "which", lambda name: "/p/" + name if name == "python3.12" else None)
    monkeypatch.setattr(go, "runs", lambda words: words[0] == "/p/python3.12")
    seen: list[list[str]] = []

    def record(words: list[str]) -> None:
        seen.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(go, "replace_process", record)
    with pytest.raises(SystemExit):
        go.main()
    assert seen == [["/p/python3.12", str(go.ROOT / "go"), "demo", "--x"]]
    monkeypatch.setattr(go, "runs", lambda words: False)
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed"):
        go.main()


# --- getting uv without pip -------------------------------------------------------------------------------


def _wheel(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("uv-1.2.3.data/scripts/uv", content)
    return packed.getvalue()


class _Index(http.server.ThreadingHTTPServer):
    """A simple index on loopback with one wheel, speaking JSON or HTML."""

    def __init__(self, wheel: bytes, speaks: str) -> None:
        self.wheel, self.speaks, self.asked = wheel, speaks, list[str | None]()
        super().__init__(("127.0.0.1", 0), _IndexHandler)


class _IndexHandler(http.server.BaseHTTPRequestHandler):
    server: _Index

    def do_GET(self) -> None:
        """Answer the page of uv or the wheel."""
        self.server.asked.append(self.headers.get("Authorization"))
        name = "uv-1.2.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
        names = ["uv-1.2.3-py3-none-win32.whl", "uv-1.2.30-py3-none-linux_x86_64.whl", name]
        kind, body = "application/octet-stream", self.server.wheel
        if self.path == "/simple/uv/" and self.server.speaks == "json":
            kind = "application/vnd.pypi.simple.v1+json"
            body = json.dumps({"files": [{"url": f"../../files/{n}"} for n in names]}).encode()
        elif self.path == "/simple/uv/":
            kind = "text/html"
            body = "".join(f'<a href="../../files/{n}#sha256=0">{n}</a>' for n in names).encode()
        elif self.path != "/files/" + name:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[Callable[[bytes, str], _Index]]:
    """Start indexes; all are stopped afterwards."""
    running: list[_Index] = []

    def start(wheel: bytes, speaks: str) -> _Index:
        server = _Index(wheel, speaks)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def on_linux(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine, take it for an ordinary Linux on x86."""
    monkeypatch.setattr(go.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(go.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(go.sys, "platform", "linux")


@pytest.mark.usefixtures("on_linux")
@pytest.mark.parametrize("speaks", ["json", "html"])
def test_uv_comes_straight_from_the_index(
    go: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    index: Callable[[bytes, str], _Index],
    speaks: str,
) -> None:
    """Without pip the right wheel is taken, checked, unpacked and made executable; credentials are sent."""
    wheel = _wheel(b"#!/bin/sh\necho uv 1.2.3\n")
    server = index(wheel, speaks)
    lock = tmp_path / "bootstrap.lock"
    lock.write_text(f"uv==1.2.3 \\\n    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n", "utf-8")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://me:s%40fe@127.0.0.1:{server.server_port}/simple/")
    to = tmp_path / "uv" / "bin" / "uv"
    go.fetch_uv_wheel(lock, to)
    assert subprocess.run([to], capture_output=True, text=True, check=True).stdout == "uv 1.2.3\n"
    assert server.asked[0] == "Basic bWU6c0BmZQ=="
    assert sorted(p.name for p in to.parent.iterdir()) == ["uv"]


@pytest.mark.usefixtures("on_linux")
def test_a_wheel_that_is_not_the_locked_one_is_refused(
    go: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Callable[[bytes, str], _Index]
) -> None:
    """A mirror that serves something else gets nothing executed."""
    server = index(_wheel(b"#!/bin/sh\nrm -rf /\n"), "json")
    lock = tmp_path / "bootstrap.lock"
    lock.write_text(f"uv==1.2.3 \\\n    --hash=sha256:{'0' * 64}\n", "utf-8")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
    with pytest.raises(go.SetupError, match="not the file that was locked"):
        go.fetch_uv_wheel(lock, tmp_path / "uv")
    assert not (tmp_path / "uv").exists()


def test_without_uv_pip_and_index_it_says_what_to_do(go: ModuleType, tmp_path: Path) -> None:
    """Where nothing can be found out, the three ways out are named."""
    lock = tmp_path / "bootstrap.lock"
    lock.write_text("uv==1.2.3 \\\n", "utf-8")
    with pytest.raises(go.SetupError, match=r"install uv.*python3-venv[\s\S]*UV_DEFAULT_INDEX"):
        go.fetch_uv_wheel(lock, tmp_path / "uv")


@pytest.mark.parametrize(
    ("system", "machine", "libc", "wheel"),
    [
        ("linux", "x86_64", "glibc", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("linux", "aarch64", "glibc", "manylinux_2_28_aarch64"),
        ("linux", "x86_64", "", "musllinux_1_1_x86_64"),
        ("linux", "aarch64", "", "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"),
        ("darwin", "arm64", "", "macosx_11_0_arm64"),
        ("darwin", "x86_64", "", "macosx_10_12_x86_64"),
        ("win32", "AMD64", "", "win_amd64"),
        ("win32", "ARM64", "", "win_arm64"),
    ],
)
def test_the_right_wheel_for_the_machine(
    go: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: str, wheel: str
) -> None:
    """Of the wheels there are, just those for this system, processor and C library are taken."""
    monkeypatch.setattr(go.sys, "platform", system)
    monkeypatch.setattr(go, "WINDOWS", system == "win32")
    monkeypatch.setattr(go.platform, "machine", lambda: machine)
    monkeypatch.setattr(go.platform, "libc_ver", lambda: (libc, ""))
    others = ["win32", "macosx_10_12_ppc64", "musllinux_1_1_i686", "manylinux_2_17_i686.manylinux2014_i686"]
    assert go.suits_this_machine(f"uv-1.2.3-py3-none-{wheel}.whl")
    assert not any(go.suits_this_machine(f"uv-1.2.3-py3-none-{other}.whl") for other in others)


# --- the stamp --------------------------------------------------------------------------------------------


def _project(root: Path, extra: str = "") -> None:
    head = (
        '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "clearway"\ndependencies = ["numpy"]\n'
    )
    (root / "pyproject.toml").write_text(head + extra, "utf-8")
    (root / "requirements").mkdir(exist_ok=True)
    for name in ("core", "dev", "bootstrap"):
        (root / "requirements" / f"{name}.lock").write_text("numpy==1\nuv==1.2.3\n", "utf-8")


def test_what_calls_for_a_new_set_up(go: ModuleType) -> None:
    """Locks, dependencies, the build hook and a moved folder do; settings of linters do not."""
    _project(go.ROOT)
    first = go.fingerprint("core")
    _project(go.ROOT, "[tool.ruff]\nline-length = 99\n")
    assert go.fingerprint("core") == first
    (go.ROOT / "hatch_build.py").write_text("", "utf-8")
    hooked = go.fingerprint("core")
    (go.LOCKS / "core.lock").write_text("numpy==2\n", "utf-8")
    relocked = go.fingerprint("core")
    _project(go.ROOT, '[project.scripts]\nclearway = "x:y"\n')
    assert len({first, hooked, relocked, go.fingerprint("core")}) == 4


@pytest.mark.parametrize(
    ("stamp", "core", "dev"),
    [
        ("core", True, False),
        ("dev", True, True),
        ("other", False, False),
        ("not json", False, False),
        ("stale", False, False),
    ],
)
def test_the_stamp_tells_what_is_there(go: ModuleType, stamp: str, core: bool, dev: bool) -> None:
    """dev serves for core, not the other way round; an unreadable or stale stamp counts for nothing."""
    _project(go.ROOT)
    go.BIN.mkdir(parents=True)
    go.PYTHON.symlink_to(sys.executable)
    mark = "old" if stamp == "stale" else go.fingerprint(stamp if stamp in go.SETS else "core")
    body = {"set": "core" if stamp == "stale" else stamp, "fingerprint": mark, "root": str(go.ROOT)}
    go.STAMP.write_text("{" if stamp == "not json" else json.dumps(body), "utf-8")
    assert (go.ready("core"), go.ready("dev")) == (core, dev)


# --- whole calls, with a stand-in for uv ------------------------------------------------------------------

STAND_IN = """#!{python}
import os, sys, time
words = sys.argv[1:]
if "--help" in words:
    sys.exit()
if os.environ.get("STAND_IN_FAILS"):
    sys.exit("error: Failed to fetch: `https://mirror.invalid/simple/numpy/`\\n  Caused by: dns error")
open({log!r}, "a").write(" ".join(w for w in words if not w.startswith("/")) + "\\n")
if words[0] == "venv":
    os.makedirs(words[-1] + "/bin", exist_ok=True)
    open(words[-1] + "/bin/python", "w").write("#!/bin/sh\\nexec {python} \\"$@\\"\\n")
    os.chmod(words[-1] + "/bin/python", 0o755)
time.sleep(0.3)
"""


@pytest.fixture
def place(tmp_path: Path) -> SimpleNamespace:
    """A fresh clone with an empty home and a stand-in for uv on PATH; ``call`` starts ./go there."""
    root, programs, log = tmp_path / "clone", tmp_path / "programs", tmp_path / "log"
    for folder in (root, programs, tmp_path / "home"):
        folder.mkdir()
    _project(root)
    (root / "go").write_bytes((ROOT / "go").read_bytes())
    (programs / "uv").write_text(STAND_IN.format(python=sys.executable, log=str(log)), "utf-8")
    (programs / "uv").chmod(0o755)
    env = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def call(*words: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(root / "go"), *words],
            env={**env, **more},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def steps() -> list[str]:
        return log.read_text("utf-8").splitlines() if log.exists() else []

    return SimpleNamespace(root=root, call=call, steps=steps)


def _end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_first_call_sets_up_second_does_not(place: SimpleNamespace) -> None:
    """The first call makes the environment from the locks by hash, the second only hands over."""
    code, out, err = _end(place.call("--version"))
    assert (code, out) == (0, VERSION), err
    starts = [" ".join(s.split(" ")[:2]) for s in place.steps()]
    assert starts == ["venv --quiet", "pip sync", "pip install"]
    assert "--require-hashes" in place.steps()[1]
    assert "--no-deps --no-build-isolation" in place.steps()[2]
    code, out, err = _end(place.call("--version"))
    assert (code, out, err) == (0, VERSION, "")
    assert len(place.steps()) == 3
    code, out, err = _end(place.call())
    assert (code, err) == (0, "")
    assert "./go demo" in out
    assert "Usage: clearway" in out


def test_calls_at_once_wait_for_one_another(place: SimpleNamespace) -> None:
    """Three first calls at once: one sets up, the others wait and then run."""
    running = [place.call("--version") for _ in range(3)]
    ended = [_end(process) for process in running]
    assert [(code, out) for code, out, _ in ended] == [(0, VERSION)] * 3, ended
    assert sum("waiting for it" in err for _, _, err in ended) == 2
    assert len(place.steps()) == 3


def test_no_network_is_said_clearly_and_leaves_nothing_half_done(place: SimpleNamespace) -> None:
    """Without network: which host, what to set, no traceback, an exit code; the next call tries again."""
    code, out, err = _end(place.call("demo", STAND_IN_FAILS="1"))
    assert (code, out) == (1, "")
    assert "mirror.invalid could not be reached" in err
    assert "UV_DEFAULT_INDEX" in err
    assert "Traceback" not in err
    assert not (place.root / ".venv" / "clearway-setup.json").exists()
    assert _end(place.call("--version"))[0] == 0


def test_a_change_of_the_lock_sets_up_anew_and_never_takes_away_dev(place: SimpleNamespace) -> None:
    """After a pull with new locks the set that was there is brought up to date, not the smaller one."""
    assert _end(place.call("setup", "dev"))[0] == 0
    for name in ("core", "dev"):
        (place.root / "requirements" / f"{name}.lock").write_text("numpy==2\n", "utf-8")
    assert _end(place.call("--version"))[0] == 0
    assert json.loads((place.root / ".venv" / "clearway-setup.json").read_text("utf-8"))["set"] == "dev"
    assert [s.split(" ")[0] for s in place.steps()].count("venv") == 1


def test_a_moved_folder_gets_a_new_environment(place: SimpleNamespace, tmp_path: Path) -> None:
    """An environment remembers its place; elsewhere it is made anew."""
    assert _end(place.call("--version"))[0] == 0
    place.root.rename(tmp_path / "moved")
    place.root.symlink_to(tmp_path / "moved")
    assert _end(place.call("setup"))[0] == 0
    assert [s.split(" ")[0] for s in place.steps()].count("venv") == 2


def test_help_needs_no_set_up(place: SimpleNamespace) -> None:
    """A newcomer who asks for help gets it at once."""
    code, out, err = _end(place.call("--help"))
    assert (code, err) == (0, "")
    assert "./go demo" in out
    assert place.steps() == []


# --- handing over -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "checked", "words"),
    [
        ([], True, ["-n", "auto", "--dist", "loadscope"]),
        (["tests/house", "-q"], True, ["-n", "auto", "--dist", "loadscope", "tests/house", "-q"]),
        (["-n", "0"], True, ["-n", "0"]),
        (["-n4"], True, ["-n4"]),
        (["--pdb"], True, ["--pdb"]),
        (["--fast-only", "x"], False, ["-n", "auto", "--dist", "loadscope", "-m", "not slow", "x"]),
    ],
)
def test_how_pytest_is_called(
    go: ModuleType, monkeypatch: pytest.MonkeyPatch, given: list[str], checked: bool, words: list[str]
) -> None:
    """Checks come first, then pytest on all cores unless the caller wants otherwise."""
    seen: list[object] = []

    def check(arguments: list[str]) -> int:
        seen.append("checks")
        return 0

    monkeypatch.setattr(go, "set_up", seen.append)
    monkeypatch.setattr(go, "checks", check)
    monkeypatch.setattr(go, "replace_process", seen.append)
    monkeypatch.setattr(go.os, "chdir", lambda folder: None)
    go.test(given)
    assert seen == ["dev", *(["checks"] if checked else []), [str(go.PYTHON), "-m", "pytest", *words]]


def test_failed_checks_stop_before_the_tests(go: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is not satisfied ends the run with an error."""
    monkeypatch.setattr(go, "set_up", lambda which: None)
    monkeypatch.setattr(go, "checks", lambda arguments: 1)
    monkeypatch.setattr(go, "replace_process", lambda words: pytest.fail("pytest was started"))
    with pytest.raises(SystemExit) as ended:
        go.test([])
    assert ended.value.code == 1
