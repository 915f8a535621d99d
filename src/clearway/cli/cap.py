"""``clearway cap``: check, sign and verify public warnings, and tell which are in force."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearway.kernel.clock import SystemClock, iso, parse_utc
from clearway.kernel.errors import InputError

if TYPE_CHECKING:
    from clearway.exchange.cap.intake import Parsed
    from clearway.exchange.cap.signature import Pins

app = typer.Typer(help="Public warnings (CAP 1.2): check, sign, verify, keys.", no_args_is_help=True)

PASSPHRASE = "CLEARWAY_CAP_PASSPHRASE"
Files = Annotated[list[Path], typer.Argument(help="CAP files, or Atom, RSS or EDXL-DE files with alerts.")]
At = Annotated[str, typer.Option("--at", help="Moment, ISO 8601 with a zone; now when left out.")]


@app.command("validate")
def validate_files(
    files: Files,
    profile: Annotated[
        list[str] | None,
        typer.Option("--profile", help="Rules to check besides the schema; may be repeated."),
    ] = None,
    pin: Annotated[
        list[Path] | None,
        typer.Option("--pin", help="Trusted certificates (PEM) for signatures; may be repeated."),
    ] = None,
    at: At = "",
) -> None:
    """Check against the CAP 1.2 schema and the rules of some profiles; ends with 1 if anything is wrong.

    Without --pin a signature is only noted, since there is nothing to verify it against.
    """
    from clearway.exchange.cap.intake import UNPINNED
    from clearway.exchange.cap.lint import ERROR, lint
    from clearway.exchange.cap.signature import Pins

    wrong, moment = 0, _moment(at)
    pins = Pins.from_pem([_read(p) for p in pin]) if pin else None
    for path in files:
        parsed = _parse(path, pins, moment)
        if parsed is None:
            wrong += 1
            continue
        problems = [p for p in parsed.problems if p.what != UNPINNED]
        notes = [p for p in parsed.problems if p.what == UNPINNED]
        findings = [(a, f) for a in parsed.alerts for f in lint(a, profile or ("base", "google"))]
        errors = len(problems) + sum(f.severity == ERROR for _, f in findings)
        wrong += bool(errors)
        state = "valid" if not errors else f"{errors} errors"
        typer.echo(f"{path}: {len(parsed.alerts)} alerts, {state}")
        for problem in problems:
            typer.echo(f"  error {problem}")
        for note in notes:
            typer.echo(f"  note {note}")
        for alert, finding in findings:
            typer.echo(f"  {alert.identifier}: {finding}")
    raise typer.Exit(1 if wrong else 0)


@app.command("sign")
def sign_files(
    files: Files,
    key: Annotated[Path, typer.Option(help="Signing key (PEM, ECDSA P-256).")],
    cert: Annotated[Path, typer.Option(help="Its certificate chain (PEM), leaf first.")],
    out: Annotated[Path, typer.Option(help="Folder for the signed files.")],
) -> None:
    """Sign CAP files into a folder; a file that exists there is not overwritten."""
    from clearway.exchange.cap.signature import Signer, sign

    signer = Signer.load(key, cert, _passphrase())
    out.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = out / path.name
        if target.exists():
            raise InputError("the file exists and is not overwritten", where=str(target))
        signed = sign(_read(path), signer.key, signer.chain)
        target.write_bytes(signed)
        typer.echo(f"{target}: signed, {len(signed)} bytes")


@app.command("verify")
def verify_files(
    files: Files,
    pin: Annotated[list[Path], typer.Option("--pin", help="Trusted certificates (PEM); may be repeated.")],
    at: At = "",
) -> None:
    """Verify signatures against pinned certificates; ends with 1 if any message is refused."""
    from clearway.exchange.cap.signature import Pins, SignatureRefusedError, verify
    from clearway.exchange.xml_safe import RefusedXMLError

    pins, moment, refused = Pins.from_pem([_read(p) for p in pin]), _moment(at), 0
    for path in files:
        try:
            alert = verify(_read(path), pins, at=moment)
            typer.echo(f"{path}: verified {alert.msg_type} {alert.identifier} of {alert.sender}")
        except (SignatureRefusedError, RefusedXMLError) as error:
            refused += 1
            typer.echo(f"{path}: {error.what}")
    raise typer.Exit(1 if refused else 0)


@app.command("active")
def active_messages(files: Files, at: At = "") -> None:
    """List the messages in force at a moment, from files in any order; ends with 1 if one was refused."""
    from clearway.exchange.cap.chain import active_set, chain_problems, expires_at, has_default_expiry

    read = [_parse(path) for path in files]
    messages = [alert for parsed in read if parsed is not None for alert in parsed.alerts]
    moment = _moment(at)
    active = active_set(messages, moment)
    typer.echo(f"{len(active)} of {len(messages)} messages in force at {iso(moment)}")
    for alert in active:
        info = alert.infos[0] if alert.infos else None
        until = iso(expires_at(alert)) + (" (assumed)" if has_default_expiry(alert) else "")
        headline = (info.headline or info.event) if info else ""
        typer.echo(f"{alert.identifier}  {alert.status} {alert.msg_type}, until {until}  {headline}")
    for problem in chain_problems(messages):
        typer.echo(f"  {problem}", err=True)
    raise typer.Exit(1 if None in read else 0)


@app.command("keygen")
def make_key(
    name: Annotated[str, typer.Option(help="Name on the certificate, such as your office's domain.")],
    key: Annotated[Path, typer.Option(help="File for the new key.")],
    cert: Annotated[Path, typer.Option(help="File for the new certificate.")],
    days: Annotated[int, typer.Option(help="Life of the key in days, at most two years.")] = 730,
    at: At = "",
) -> None:
    """Make an ECDSA P-256 key and its certificate; the passphrase comes from CLEARWAY_CAP_PASSPHRASE."""
    from clearway.exchange.cap.keys import generate, write_pair

    passphrase = _passphrase()
    write_pair(generate(name, at=_moment(at), days=days, passphrase=passphrase), key, cert)
    typer.echo(f"{key}: new key, {'encrypted' if passphrase else 'NOT encrypted'}; {cert}: its certificate")


def _passphrase() -> bytes | None:
    text = os.environ.get(PASSPHRASE, "")
    return text.encode() if text else None


def _moment(at: str) -> datetime:
    return parse_utc(at, where="--at") if at else SystemClock().now()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None


def _parse(path: Path, pins: Pins | None = None, at: datetime | None = None) -> Parsed | None:
    """Read a file; a hostile or broken one is named and skipped."""
    from clearway.exchange.cap.intake import parse
    from clearway.exchange.xml_safe import RefusedXMLError

    try:
        return parse(_read(path), pins=pins, at=at)
    except RefusedXMLError as error:
        typer.echo(f"{path}: {error.what}", err=True)
        return None
