"""The sealed store: forgettable content, photos without metadata, keys that die."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import InputError, NotFoundError, SystemFailureError
from clearway.records.sealed import SealedStore, strip_metadata

DAY = timedelta(days=1)
WORDS = "Caller says the bridge is a mirror of ice, call back 555-0100 请回电"


@pytest.fixture
def sealed(store_url: str, clock: ManualClock) -> Iterator[SealedStore]:
    """A sealed store beside either kind of journal."""
    store = SealedStore.beside(store_url, clock)
    yield store
    store.close()


def test_what_is_sealed_can_be_opened_and_is_not_readable_outside(
    sqlite_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    """The words come back; no file of the store holds them in the clear, nor their hash in the reference."""
    with closing(SealedStore.beside(sqlite_url, clock)) as sealed:
        ref = sealed.seal_text("inc-1", WORDS, keep=DAY)
        assert sealed.open(ref.sealed, expect_sha256=ref.sha256) == (WORDS.encode(), ref.media_type)
    for path in tmp_path.iterdir():
        assert b"555-0100" not in path.read_bytes()
    assert (tmp_path / "journal.keys.sqlite").stat().st_mode & 0o077 == 0
    again = SealedStore.beside(sqlite_url, clock)
    with closing(again):
        twin = again.seal_text("inc-1", WORDS, keep=DAY)
        assert twin.sha256 != ref.sha256, "equal words do not show as equal"


def test_retention_runs_out(sealed: SealedStore, clock: ManualClock) -> None:
    """Purging destroys what is due and nothing else; the reference then leads nowhere."""
    short = sealed.seal_text("inc-1", WORDS, keep=DAY)
    long = sealed.seal_text("inc-1", WORDS, keep=30 * DAY)
    assert sealed.purge() == []
    clock.advance(DAY)
    assert sealed.purge() == [short.sealed]
    with pytest.raises(NotFoundError, match="deleted"):
        sealed.open(short.sealed)
    assert sealed.open(long.sealed)[0] == WORDS.encode()
    assert sealed.listed("inc-1") == [long.sealed]


def test_forgetting_a_record_forgets_all_of_it(sealed: SealedStore) -> None:
    """Everything sealed for one record goes, nothing of another."""
    mine = [sealed.seal_text("inc-1", WORDS, keep=DAY).sealed for _ in range(3)]
    other = sealed.seal_text("inc-2", WORDS, keep=DAY)
    assert sealed.forget("inc-1") == sorted(mine)
    assert sealed.forget("inc-1") == []
    assert sealed.open(other.sealed)[0] == WORDS.encode()


def test_a_destroyed_key_is_nowhere_in_the_key_file(
    sqlite_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    """Not in free pages, not in the write-ahead log."""
    with closing(SealedStore.beside(sqlite_url, clock)) as sealed:
        ref = sealed.seal_text("inc-1", WORDS, keep=DAY)
        keys = tmp_path / "journal.keys.sqlite"
        with closing(sqlite3.connect(keys)) as raw:
            [(secret,)] = raw.execute("SELECT key FROM sealed_key").fetchall()
        assert any(secret in path.read_bytes() for path in tmp_path.glob("journal.keys.sqlite*"))
        assert sealed.forget("inc-1") == [ref.sealed]
        assert not any(secret in path.read_bytes() for path in tmp_path.glob("journal.keys.sqlite*"))


def test_swapped_or_altered_content_is_noticed(sqlite_url: str, clock: ManualClock, tmp_path: Path) -> None:
    """Content moved to another record, changed by a bit, or not the one of the chain."""
    path = tmp_path / "journal.sealed.sqlite"
    with closing(SealedStore.beside(sqlite_url, clock)) as sealed:
        ref = sealed.seal_text("inc-1", WORDS, keep=DAY)
        with pytest.raises(SystemFailureError, match="not what the journal says"):
            sealed.open(ref.sealed, expect_sha256="0" * 64)
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("UPDATE sealed_content SET record_id = 'inc-2'")
        with pytest.raises(SystemFailureError, match="altered"):
            sealed.open(ref.sealed)


def test_bounds_of_the_sealed_store(sealed: SealedStore) -> None:
    """Too large, no retention time, not a photo: refused."""
    with pytest.raises(InputError, match="retention"):
        sealed.seal_text("inc-1", WORDS, keep=timedelta(0))
    with pytest.raises(InputError, match="at most"):
        sealed.seal("inc-1", bytes(25_000_001), "x/y", keep=DAY)
    with pytest.raises(InputError, match="at most"):
        sealed.seal_photo("inc-1", bytes(25_000_001), keep=DAY)
    with pytest.raises(InputError, match="neither JPEG nor PNG"):
        sealed.seal_photo("inc-1", b"GIF89a", keep=DAY)


# --- photos ---------------------------------------------------------------------------------------------


def segment(marker: int, content: bytes) -> bytes:
    """One JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def exif(turn: int, order: str = ">") -> bytes:
    """An Exif block with a turn and a place."""
    head = b"MM\x00*" if order == ">" else b"II*\x00"
    entries = struct.pack(order + "HHIHH", 274, 3, 1, turn, 0) + struct.pack(order + "HHII", 0x8825, 4, 1, 99)
    body = head + struct.pack(order + "IH", 8, 2) + entries + struct.pack(order + "I", 0)
    return b"Exif\x00\x00" + body + b"GPS 39.9N 116.4E Phone of Li"


SCAN = b"\x12\x34\xff\x00\x56\xff\xd0\x78\x9a"


def jpeg(*extra: bytes) -> bytes:
    """A small JPEG in structure: tables, frame, one scan with stuffing and a restart marker."""
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xE0, b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"),
            *extra,
            segment(0xDB, bytes(65)),
            segment(0xC0, b"\x08\x00\x01\x00\x01\x01\x01\x11\x00"),
            segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            SCAN,
            b"\xff\xd9",
        ]
    )


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(*extra: bytes) -> bytes:
    """A PNG of one pixel."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(extra)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND")
    )


def test_a_jpeg_loses_everything_but_the_picture() -> None:
    """Exif, XMP, comments, maker notes and what hangs behind the end go; tables and scan stay."""
    secret = [
        segment(0xE1, exif(1)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x>Li</x>"),
        segment(0xED, b"Photoshop 3.0\x00Li"),
        segment(0xFE, b"Li was here"),
    ]
    stripped, media_type = strip_metadata(jpeg(*secret) + b"trailer Li" + jpeg())
    assert media_type == "image/jpeg"
    assert stripped == jpeg()


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turned_photo_stays_upright_and_tells_nothing_else(turn: int, order: str) -> None:
    """The turn is written back alone, whichever byte order the phone used."""
    stripped, _ = strip_metadata(jpeg(segment(0xE1, exif(turn, order))))
    assert b"GPS" not in stripped
    assert b"Li" not in stripped
    assert stripped == b"\xff\xd8" + stripped[2:38] + jpeg()[2:]
    assert struct.unpack_from(">H", stripped, 30)[0] == turn
    assert strip_metadata(stripped)[0] == stripped, "stripping twice changes nothing"


def test_colour_of_a_jpeg_is_kept() -> None:
    """Colour profile and the Adobe mark belong to the picture."""
    kept = jpeg(
        segment(0xE2, b"ICC_PROFILE\x00\x01\x01abc"), segment(0xEE, b"Adobe\x00d\x00\x00\x00\x00\x01")
    )
    assert strip_metadata(kept)[0] == kept
    assert strip_metadata(jpeg(segment(0xE2, b"MPF\x00II")))[0] == jpeg()


def test_a_png_loses_everything_but_the_picture() -> None:
    """Text, time, Exif and private chunks go, also behind the end; transparency and colour stay."""
    secret = [
        chunk(b"tEXt", b"Author\0Li"),
        chunk(b"eXIf", exif(6)),
        chunk(b"tIME", bytes(7)),
        chunk(b"prVt", b"Li"),
    ]
    kept = chunk(b"tRNS", b"\0\0")
    stripped, media_type = strip_metadata(png(*secret, kept) + b"Li")
    assert media_type == "image/png"
    assert stripped == png(kept)


def test_broken_photos_are_refused() -> None:
    """Cut anywhere, a wrong checksum, a missing marker: an InputError, never a half photo."""
    for whole in (jpeg(segment(0xE1, exif(6))), png(chunk(b"tEXt", b"x"))):
        for cut in range(3, len(whole) - 2, 3):
            with pytest.raises(InputError):
                strip_metadata(whole[:cut])
    with pytest.raises(InputError, match="checksum"):
        strip_metadata(png().replace(b"IDAT", b"IDAX"))
    with pytest.raises(InputError, match="marker"):
        strip_metadata(jpeg().replace(b"\xff\xdb", b"\x00\xdb"))


@given(junk=st.binary(max_size=200))
def test_any_bytes_are_a_photo_or_refused(junk: bytes) -> None:
    """Whatever follows a JPEG or PNG start never raises anything but InputError, and never grows secrets."""
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""):
        try:
            stripped, _ = strip_metadata(start + junk)
        except InputError:
            continue
        assert len(stripped) <= len(start + junk) + 40
