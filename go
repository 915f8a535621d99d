#!/usr/bin/env python3
"""Sets Clearway up on first use, then runs it. Needs Python 3.11 or newer and nothing else.

    ./go demo              set up once, then play a real winter storm through the whole loop
    ./go test [ARGS]       set up once, then check and test; ARGS go to pytest (--fast-only: no checks,
                           no slow tests)
    ./go lint [--fix]      the checks alone
    ./go bench [NAMES]     measure against the peers (--quick, --list)
    ./go setup [dev]       only set up: what is needed to run, or to develop as well
    ./go lock [--upgrade]  write requirements/*.lock anew
    ./go ANYTHING ELSE     clearway ANYTHING ELSE, in the project's environment

On Windows: python go demo. The environment is .venv, tools of the set-up lie in .tools; both may be deleted.
"""
# This file must be readable by older Pythons too, so that it can tell what is missing: no newer syntax here.

import base64
import configparser
import contextlib
import hashlib
import html
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import IO, Iterator

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOCKS = ROOT / "requirements"
STAMP = VENV / "clearway-setup.json"
LOG = TOOLS / "setup.log"
WINDOWS = os.name == "nt"
NEWEST = 14
"""Python 3.11 up to 3.this are looked for by name."""
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
_NEW_ENOUGH = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
SETS = ("core", "dev")
"""dev holds everything core holds, at the same versions."""

WAYS_OUT = """\
  Packages come from a package index. If this machine reaches one only through a mirror or a proxy, say so:
    UV_DEFAULT_INDEX or PIP_INDEX_URL   address of the mirror's simple index (pip.conf is read as well)
    HTTPS_PROXY                         address of the proxy
    SSL_CERT_FILE                       certificates of the proxy or the mirror, one file
  Without any network: a folder of wheels made elsewhere, UV_FIND_LINKS=FOLDER UV_NO_INDEX=1."""


class SetupError(Exception):
    """The set-up cannot go on; the message is for a person."""


def say(words: str) -> None:
    """Progress goes to stderr, results to stdout."""
    print("go: " + words, file=sys.stderr, flush=True)


def runs(words: "list[str]") -> bool:
    """Whether a command exists and ends well."""
    try:
        return subprocess.call(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


# --- which Python -----------------------------------------------------------------------------------------


def find_newer_python() -> "str | None":
    """Another Python on PATH that is new enough, newest first."""
    for minor in range(NEWEST, 10, -1):
        path = shutil.which(f"python3.{minor}")
        if path and runs([path, "-c", _NEW_ENOUGH]):  # a version manager's stand-in may refuse to run
            return path
    return None


def replace_process(words: "list[str]", extra_env: "dict[str, str] | None" = None) -> None:
    """Go on as another program; on Windows, where that loses the terminal, wait for it instead."""
    env = dict(os.environ, **(extra_env or {}))
    sys.stdout.flush()
    sys.stderr.flush()
    if WINDOWS:
        sys.exit(subprocess.call(words, env=env))
    os.execve(words[0], words, env)


# --- what pip knows, told to uv ---------------------------------------------------------------------------


def pip_files() -> "list[Path]":
    """Configuration files pip would read, weakest first."""
    name, home = ("pip.ini" if WINDOWS else "pip.conf"), Path.home()
    if os.environ.get("PIP_CONFIG_FILE") == os.devnull:
        return []
    if WINDOWS:
        places = [Path(os.environ.get(key) or home) for key in ("PROGRAMDATA", "APPDATA")]
        files = [place / "pip" / name for place in places]
    else:
        files = [Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"), home / ".pip" / name]
        files.append(home / "Library" / "Application Support" / "pip" / name)
        files.append(Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / name)
    files.append(Path(sys.prefix) / name)
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    return files


def pip_settings() -> "dict[str, str]":
    """The settings about where packages come from, from pip's files and PIP_* variables."""
    wanted = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "no-index")
    found = {}
    for path in pip_files():
        reader = configparser.RawConfigParser()
        try:
            reader.read(str(path), encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError) as error:
            say(f"not read: {path} ({type(error).__name__})")
            continue
        for section in ("global", "install", "download"):
            if reader.has_section(section):
                found.update({k: v for k, v in reader.items(section) if k in wanted and v.strip()})
    for key in wanted:
        value = os.environ.get("PIP_" + key.replace("-", "_").upper(), "").strip()
        if value:
            found[key] = value
    return found


def uv_env() -> "dict[str, str]":
    """Variables for uv, which reads neither pip.conf nor PIP_*. What is already said to uv stays as it is."""
    env = {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "UV_SYSTEM_CERTS": "1",
        "UV_HTTP_TIMEOUT": "60",
    }
    pip = pip_settings()
    if not uv_knows_its_index():
        env["UV_DEFAULT_INDEX"] = pip.get("index-url", "")
        env["UV_INDEX"] = " ".join(pip.get("extra-index-url", "").split())
        # pip looks in all indexes. That is safe here, since every file is checked against its hash.
        env["UV_INDEX_STRATEGY"] = "unsafe-best-match" if env["UV_INDEX"] else ""
    env["UV_FIND_LINKS"] = ",".join(pip.get("find-links", "").split())
    env["UV_INSECURE_HOST"] = " ".join(pip.get("trusted-host", "").split())
    env["SSL_CERT_FILE"] = pip.get("cert", "")
    return {key: value for key, value in env.items() if value and not os.environ.get(key)}


def uv_knows_its_index() -> bool:
    """Whether somebody told uv itself where packages come from, by a variable or a file."""
    if any(os.environ.get("UV_" + key) for key in ("DEFAULT_INDEX", "INDEX", "INDEX_URL", "EXTRA_INDEX_URL")):
        return True
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [os.environ.get("UV_CONFIG_FILE"), config / "uv" / "uv.toml", "/etc/uv/uv.toml"]
    return any(path and Path(path).is_file() for path in files)


def no_index() -> "list[str]":
    """The word that keeps uv from any index, if uv or pip was told so."""
    told = os.environ.get("UV_NO_INDEX") or pip_settings().get("no-index", "")
    return ["--no-index"] if told.lower() in ("1", "true", "yes", "on") else []


# --- running the steps ------------------------------------------------------------------------------------

_UNREACHABLE = re.compile(
    "dns error|failed to lookup|error sending request|connection (refused|reset|error)|timed? ?out|tunnel"
    "|could not connect|failed to establish|proxy|unreachable|name resolution|network connectivity|urlopen"
    "|certificate|status (client|server) error|http error|unknownissuer",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Names and passwords inside addresses are never shown."""
    return re.sub(r"://[^/@\s`'\"]+@", "://***@", text)


def explain_failure(what: str, output: str) -> str:
    """What failed, in a few lines, and what to do about it."""
    lines = [line.strip() for line in without_secrets(output).splitlines() if line.strip()]
    told = "\n".join("    " + line[:200] for line in lines[-6:])
    if _UNREACHABLE.search(output):
        hosts = [urllib.parse.urlsplit(url).hostname for url in re.findall(r"https?://[^\s`'\")]+", output)]
        where = hosts[0] if hosts and hosts[0] else "the package index"
        text = f"{what}: {where} could not be reached.\n{told}\n{WAYS_OUT}"
    elif "No space left" in output or "not enough space" in output:
        text = f"{what}: the disk is full; about 1 GiB is needed.\n{told}"
    elif "ash mismatch" in output or "DO NOT MATCH" in output:
        text = f"{what}: a downloaded file is not the one that was locked; it was not installed.\n{told}"
    else:
        text = f"{what} failed.\n{told}"
    return text + f"\n  All that was said is in {LOG}."


def step(what: str, words: "list[str]", env: "dict[str, str] | None" = None) -> None:
    """Run one command of the set-up quietly; its output goes to the log and, shortened, into an error."""
    TOOLS.mkdir(exist_ok=True)
    started = time.time()
    with LOG.open("a+b") as log:
        begin = log.seek(0, os.SEEK_END)
        try:
            child = subprocess.Popen(
                words,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=str(ROOT),
                env=dict(os.environ, **(env or {})),
            )
        except OSError as error:
            raise SetupError(f"{what}: {words[0]} cannot be run ({error.strerror})") from error
        next_word = 10
        try:
            while child.poll() is None:
                time.sleep(0.02)
                if time.time() - started > next_word:
                    say(f"{what} … {next_word} s")
                    next_word += 10
        except BaseException:
            child.kill()
            child.wait()
            raise
        log.seek(begin)
        output = log.read().decode("utf-8", "replace")
    if child.returncode != 0:
        raise SetupError(explain_failure(what, output))
    say(f"{what} ({time.time() - started:.1f} s)")


@contextlib.contextmanager
def alone() -> "Iterator[None]":
    """Only one ./go sets up at a time; the others wait. The system frees the lock of one that dies."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("a+b") as handle:
        told = False
        while not _lock(handle):
            if not told:
                say("another ./go is setting up; waiting for it")
                told = True
            time.sleep(0.2)
        yield


def _lock(handle: "IO[bytes]") -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- getting uv -------------------------------------------------------------------------------------------


def get_uv() -> "str | None":
    """Path of uv: from PATH, or fetched once into .tools at the locked version; None if only pip can serve.

    Raises:
        SetupError: neither uv nor pip nor a known index.
    """
    on_path = None if os.environ.get("CLEARWAY_OWN_UV") else shutil.which("uv")
    if on_path and runs([on_path, "pip", "sync", "--require-hashes", "--help"]):  # it may be too old
        return on_path
    own = TOOLS / "uv" / "bin" / ("uv.exe" if WINDOWS else "uv")
    if runs([str(own), "--version"]):
        return str(own)
    lock = LOCKS / "bootstrap.lock"
    pip = find_pip()
    if pip is None:
        fetch_uv_wheel(lock, own)
        return str(own)
    target = ["--target", str(TOOLS / "uv"), "--upgrade", "--only-binary", ":all:"]
    words = [
        *pip,
        "install",
        "--disable-pip-version-check",
        "--retries",
        "2",
        "--require-hashes",
        "-r",
        str(lock),
    ]
    try:
        step("getting uv", words + target)
    except SetupError as error:
        if "could not be reached" in str(error):
            raise
        say("no uv for this machine; going on with pip, which is slower")
        return None
    if not own.exists():  # some Pythons put programs of --target elsewhere
        found = sorted(TOOLS.glob("uv/**/" + own.name))
        if not found:
            return None
        return str(found[0])
    return str(own)


def find_pip() -> "list[str] | None":
    """The words that call a pip: this Python's, or one in a venv under .tools; None if there is none."""
    if runs([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"]
    helper = TOOLS / "pip"
    program = helper / ("Scripts/python.exe" if WINDOWS else "bin/python")
    pip = [str(program), "-m", "pip"]
    if not runs([*pip, "--version"]):
        runs([sys.executable, "-m", "venv", "--clear", str(helper)])
    return pip if runs([*pip, "--version"]) else None


def fetch(url: str, accept: str = "*/*") -> "tuple[bytes, str]":
    """Body and content type of an address; a name and password inside it are sent as basic authorisation.

    Raises:
        SetupError: it could not be read.
    """
    parts = urllib.parse.urlsplit(url)
    headers = {"Accept": accept, "User-Agent": "clearway-go"}
    if parts.username:
        pair = "{}:{}".format(
            urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        )
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if parts.scheme == "file" and parts.path.endswith("/"):
        parts = parts._replace(path=parts.path + "index.html")
    request = urllib.request.Request(urllib.parse.urlunsplit(parts), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read(), answer.headers.get("Content-Type", "")
    except (OSError, ValueError) as error:
        words = f"urlopen error at {url}: {error}"
        raise SetupError(explain_failure("getting uv", words)) from error


def suits_this_machine(name: str) -> bool:
    """Whether a wheel of uv, by its name, runs here."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "x64": "x86_64"}.get(machine, machine)
    if WINDOWS:
        return name.endswith({"x86_64": "win_amd64.whl", "arm64": "win_arm64.whl"}.get(machine, "win32.whl"))
    if sys.platform == "darwin":
        return "macosx" in name and name.endswith(machine + ".whl")
    kind = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return kind in name and name.endswith("_" + machine + ".whl")


def fetch_uv_wheel(lock: Path, to: Path) -> None:
    """Without any pip: take uv's wheel straight from the named index, check its hash, unpack it.

    Raises:
        SetupError: no index named, not reachable, or the file is not the locked one.
    """
    settings = pip_settings()
    index = (
        os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or settings.get("index-url", "")
    )
    if not index:
        raise SetupError(
            "this Python has neither uv nor pip nor ensurepip, and no package index is named.\n"
            "  Do one of these: install uv; install pip (Debian and Ubuntu: apt install python3-venv);\n"
            "  or set UV_DEFAULT_INDEX to the address of a simple index."
        )
    text = lock.read_text(encoding="utf-8")
    version = re.findall(r"^uv==(\S+)", text, re.MULTILINE)[0]
    locked = set(re.findall(r"sha256:([0-9a-f]{64})", text))
    page = index.rstrip("/") + "/uv/"
    started = time.time()
    body, kind = fetch(page, "application/vnd.pypi.simple.v1+json, text/html;q=0.5")
    if "json" in kind:
        links = [entry["url"] for entry in json.loads(body.decode("utf-8"))["files"]]
    else:
        found = re.findall(
            r"""<a\s[^>]*?href\s*=\s*["']([^"']+)""", body.decode("utf-8", "replace"), re.IGNORECASE
        )
        links = [html.unescape(link) for link in found]
    for link in links:
        name = urllib.parse.unquote(urllib.parse.urlsplit(link).path.rpartition("/")[2])
        if not (name.startswith(f"uv-{version}-") and suits_this_machine(name)):
            continue
        wheel, _ = fetch(urllib.parse.urljoin(page, link.partition("#")[0]))
        if hashlib.sha256(wheel).hexdigest() not in locked:
            raise SetupError(f"getting uv: {name} is not the file that was locked; it was not used")
        unpack_uv(wheel, to)
        say("getting uv (%.1f s)" % (time.time() - started))
        return
    raise SetupError(f"getting uv: {without_secrets(index)} has no uv {version} for this machine")


def unpack_uv(wheel: bytes, to: Path) -> None:
    """Take the one program out of the wheel."""
    to.parent.mkdir(parents=True, exist_ok=True)
    packed = to.with_suffix(".whl")
    packed.write_bytes(wheel)
    with zipfile.ZipFile(str(packed)) as archive:
        member = next(n for n in archive.namelist() if n.endswith("/scripts/" + to.name))
        fresh = to.with_suffix(".new")
        fresh.write_bytes(archive.read(member))
    fresh.chmod(0o755)
    fresh.replace(to)
    packed.unlink()


# --- the environment --------------------------------------------------------------------------------------


def fingerprint(which: str) -> str:
    """Hash of all that a set of packages depends on; settings of linters and tests are left out."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [project["project"], project["build-system"], project.get("tool", {}).get("hatch")]
    digest = hashlib.sha256(json.dumps([str(ROOT), parts], sort_keys=True).encode())
    scripts = sorted((ROOT / "src" / "clearway" / "web" / "frontend").glob("*.*"))
    for path in (ROOT / "hatch_build.py", LOCKS / (which + ".lock"), *scripts):
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()


def read_stamp() -> "dict[str, str]":
    """What was installed last, and for which place; empty if unknown."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return stamp if stamp["set"] in SETS and stamp["fingerprint"] and stamp["root"] else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def ready(which: str) -> bool:
    """Whether the environment already holds ``which``, or more."""
    stamp = read_stamp()
    if not stamp or not PYTHON.exists() or SETS.index(stamp["set"]) < SETS.index(which):
        return False
    return stamp["fingerprint"] == fingerprint(stamp["set"])


def set_up(which: str) -> None:
    """Make the environment hold ``which``; does nothing when it does already.

    Raises:
        SetupError: it cannot be made; says why and what to do.
    """
    if ready(which):
        return
    with alone():
        if ready(which):
            return
        before = read_stamp()
        if before and SETS.index(before["set"]) > SETS.index(which):
            which = before["set"]
        LOG.write_bytes(b"")
        lock = LOCKS / (which + ".lock")
        count = len(re.findall("^[a-z0-9].*==", lock.read_text(encoding="utf-8"), re.MULTILINE))
        say(f"setting up once in {VENV.name}: {count} packages")
        if STAMP.exists():
            STAMP.unlink()
        keep = before.get("root", str(ROOT)) == str(ROOT) and runs([str(PYTHON), "-c", _NEW_ENOUGH])
        uv = get_uv()
        if uv is None:
            install_with_pip(lock, keep)
        else:
            install_with_uv(uv, lock, keep)
        stamp = {"set": which, "fingerprint": fingerprint(which), "root": str(ROOT)}
        STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def install_with_uv(uv: str, lock: Path, keep: bool) -> None:
    """The usual way: exactly the locked files, each checked against its hash; then the project itself."""
    env = uv_env()
    if not keep:
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
        step("making " + VENV.name, make, env)
    here = ["--python", str(PYTHON)]
    step("installing packages", [uv, "pip", "sync", *here, *no_index(), "--require-hashes", str(lock)], env)
    itself = ["--offline", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    step("installing clearway", [uv, "pip", "install", *here, *itself], env)


def install_with_pip(lock: Path, keep: bool) -> None:
    """Where there is no uv for the machine: the same files with pip."""
    if not keep or not runs([str(PYTHON), "-m", "pip", "--version"]):
        step("making " + VENV.name, [sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    step("installing packages", [*pip, "--require-hashes", "-r", str(lock)])
    step("installing clearway", [*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


# --- the verbs --------------------------------------------------------------------------------------------


def checks(arguments: "list[str]") -> int:
    """Exit status of all checks of the source; see the folder tools."""
    return subprocess.call([str(PYTHON), "-m", "tools", *arguments], cwd=str(ROOT))


def test(arguments: "list[str]") -> None:
    """All checks, then pytest on all cores; pytest's closing line is the last thing printed."""
    set_up("dev")
    quick = "--fast-only" in arguments
    arguments = [a for a in arguments if a != "--fast-only"]
    if not quick and checks([]) != 0:
        sys.exit(1)
    words = [str(PYTHON), "-m", "pytest"]
    one_process = ("--pdb", "--trace", "--collect-only", "--co")
    if not any(a in one_process or a.startswith(("-n", "--numprocesses")) for a in arguments):
        words += ["-n", "auto", "--dist", "loadscope"]
    if quick:
        words += ["-m", "not slow"]
    os.chdir(str(ROOT))
    replace_process(words + arguments)


def lock(arguments: "list[str]") -> None:
    """Resolve anew. The files name no index, so that they serve behind any mirror."""
    uv = get_uv()
    if uv is None:
        raise SetupError("./go lock needs uv")
    common = ["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    common += ["--no-header", "--no-emit-index-url", "--no-emit-find-links", *arguments]
    core = ["pyproject.toml", "requirements/build.in"]
    dev = [*core, "--all-extras", "--group", "dev", "-c", "requirements/core.lock"]
    for name, sources in (("bootstrap", ["requirements/bootstrap.in"]), ("core", core), ("dev", dev)):
        out = f"requirements/{name}.lock"
        step("locking " + out, [uv, *common, *sources, "-o", out], uv_env())


def main() -> None:
    """Set up as far as the verb needs, then hand over."""
    arguments = sys.argv[1:]
    if sys.version_info < (3, 11):
        newer = find_newer_python()
        if newer is None:
            sys.exit(
                f"go: Python 3.11 or newer is needed; this is {platform.python_version()} and none is on PATH"
            )
        replace_process([newer, str(ROOT / "go"), *arguments])
    verb = arguments[0] if arguments else ""
    if verb in ("", "-h", "--help"):
        print(__doc__.strip())
        if ready("core"):
            print("\nAnything else:\n", flush=True)
            replace_process([str(PYTHON), "-m", "clearway", "--help"])
    elif verb == "test":
        test(arguments[1:])
    elif verb == "lint":
        set_up("dev")
        sys.exit(checks(arguments[1:]))
    elif verb == "bench":
        set_up("dev")
        os.chdir(str(ROOT))
        replace_process([str(PYTHON), "-m", "benchmarks", *arguments[1:]])
    elif verb == "setup":
        set_up("dev" if "dev" in arguments else "core")
    elif verb == "lock":
        lock(arguments[1:])
    else:
        set_up("core")
        replace_process([str(PYTHON), "-m", "clearway", *arguments])


if __name__ == "__main__":
    try:
        main()
    except SetupError as problem:
        sys.exit(f"go: {problem}")
    except OSError as problem:
        sys.exit("go: {}: {}".format(problem.filename or "the set-up", problem.strerror or problem))
    except KeyboardInterrupt:
        sys.exit(130)
