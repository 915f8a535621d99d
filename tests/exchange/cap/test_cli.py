"""``clearway cap``: its words, its files and its exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clearway.cli import main
from clearway.exchange.cap.keys import load_certificates
from clearway.exchange.cap.model import Area
from clearway.exchange.cap.render import render
from tests.exchange.cap.making import SENT, SQUARE, message

AT = "2015-11-22T00:00:00Z"


def run(*words: str | Path) -> int:
    """Run the command; return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(["cap", *map(str, words)])
    return int(caught.value.code or 0)


@pytest.fixture
def notice_file(tmp_path: Path) -> Path:
    """A valid, unsigned message."""
    path = tmp_path / "notice.xml"
    path.write_bytes(render(message("urn:x:a", headline="Icy roads")))
    return path


def test_keygen_sign_verify(tmp_path: Path, notice_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key made here signs a file that verifies with its certificate and with no other."""
    key, cert, out = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "signed"
    assert run("keygen", "--name", "road.example", "--key", key, "--cert", cert, "--at", AT) == 0
    assert "NOT encrypted" in capsys.readouterr().out
    assert run("sign", notice_file, "--key", key, "--cert", cert, "--out", out) == 0
    signed = out / "notice.xml"
    assert run("verify", signed, "--pin", cert, "--at", "2015-11-22T02:00:00Z") == 0
    assert "verified Alert urn:x:a" in capsys.readouterr().out
    other = tmp_path / "other.pem"
    assert (
        run("keygen", "--name", "x.example", "--key", tmp_path / "k2.pem", "--cert", other, "--at", AT) == 0
    )
    assert run("verify", signed, notice_file, "--pin", other, "--at", "2015-11-22T02:00:00Z") == 1
    said = capsys.readouterr().out
    assert "a stranger's certificate" in said
    assert "refused: no signature" in said
    assert run("sign", notice_file, "--key", key, "--cert", cert, "--out", out) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert run("sign", signed, "--key", key, "--cert", cert, "--out", tmp_path / "twice") == 2
    assert "nothing is published" in capsys.readouterr().err


def test_passphrase(
    tmp_path: Path, notice_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a passphrase in the environment the key is encrypted, and useless without it."""
    monkeypatch.setenv("CLEARWAY_CAP_PASSPHRASE", "correct horse")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    assert run("keygen", "--name", "road.example", "--key", key, "--cert", cert, "--at", AT) == 0
    assert b"ENCRYPTED" in key.read_bytes()
    assert load_certificates(cert.read_bytes())[0].not_valid_before_utc == SENT.replace(hour=0)
    assert run("sign", notice_file, "--key", key, "--cert", cert, "--out", tmp_path / "a") == 0
    monkeypatch.delenv("CLEARWAY_CAP_PASSPHRASE")
    assert run("sign", notice_file, "--key", key, "--cert", cert, "--out", tmp_path / "b") == 2
    assert not (tmp_path / "b" / "notice.xml").exists()
    assert "cannot be used" in capsys.readouterr().err


def test_validate(notice_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Good files are valid, bad ones are told what is wrong, hostile ones named; the others still count."""
    assert run("validate", notice_file, "--profile", "base") == 1
    assert "no place at all" in capsys.readouterr().out
    bomb = tmp_path / "bomb.xml"
    bomb.write_text('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')
    assert run("validate", bomb, notice_file) == 1
    said = capsys.readouterr()
    assert "refused: entity expansion" in said.err
    assert "urn:x:a: error google/area-has-shape" in said.out
    assert run("validate", tmp_path / "none.xml") == 2
    assert "cannot be read" in capsys.readouterr().err
    assert run("validate", notice_file, "--profile", "nonsense") == 2


def test_validate_signed_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without pins a signature is a note and the file is valid; with pins a stranger's is an error."""
    key, cert, other = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "other.pem"
    plain, out = tmp_path / "notice.xml", tmp_path / "signed"
    bare = message("urn:x:a", headline="Icy roads")
    placed = replace(bare.infos[0], areas=(Area("Beijing", (SQUARE,)),))
    plain.write_bytes(render(replace(bare, infos=(placed,))))
    assert run("keygen", "--name", "road.example", "--key", key, "--cert", cert, "--at", AT) == 0
    assert run("keygen", "--name", "x.example", "--key", tmp_path / "k", "--cert", other, "--at", AT) == 0
    assert run("sign", plain, "--key", key, "--cert", cert, "--out", out) == 0
    check = ("validate", out / "notice.xml", "--profile", "base", "--at", "2015-11-22T02:00:00Z")
    capsys.readouterr()
    assert run(*check) == 0
    said = capsys.readouterr().out
    assert "1 alerts, valid" in said
    assert "note alert/Signature: signature not verified: no pinned certificate given" in said
    assert run(*check, "--pin", cert) == 0
    assert "note" not in capsys.readouterr().out
    assert run(*check, "--pin", other) == 1
    assert "error alert/Signature: refused: a stranger's certificate" in capsys.readouterr().out


def test_validate_real_file(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound alert of Australia is valid."""
    path = shared_data / "cap" / "samples" / "google-testdata" / "australia.cap"
    assert run("validate", path, "--profile", "cap-au", "--profile", "base") == 0
    assert "1 alerts, valid" in capsys.readouterr().out


def test_active(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files in any order give the messages in force at a moment; a refused file is named and ends with 1."""
    alert = message("urn:x:a", headline="Icy roads")
    update = message("urn:x:u", "Update", SENT.replace(hour=2), refers=(alert,), headline="Worse")
    paths = []
    for name, one in (("2.xml", update), ("1.xml", alert)):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(render(one))
    assert run("active", *paths, "--at", "2015-11-22T03:00:00Z") == 0
    said = capsys.readouterr().out
    assert "1 of 2 messages in force" in said
    assert "urn:x:u  Actual Update, until 2015-11-22T08:00:00Z  Worse" in said
    assert "Icy" not in said
    broken = tmp_path / "broken.xml"
    broken.write_text("<alert>")
    assert run("active", *paths, broken, "--at", "2015-11-22T01:30:00Z") == 1
    assert "Icy roads" in capsys.readouterr().out
    assert run("active", *paths, "--at", "yesterday") == 2
