"""Photos without their metadata: where, when, which phone. Only the picture is kept.

JPEG: all application segments but JFIF, ICC colour and Adobe are dropped, and comments; the turn of the
picture is written back alone, so that it still stands upright. PNG: only the chunks that make the picture
(PNG specification, third edition, 5 and 11). Anything behind the end of the picture is dropped.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from clearway.kernel.errors import InputError

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"sBIT",
        b"bKGD",
        b"iCCP",
        b"cICP",
    }
)
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""


def strip_metadata(photo: bytes) -> tuple[bytes, str]:
    """The picture alone, and its media type.

    Raises:
        InputError: neither JPEG nor PNG, or broken.
    """
    try:
        if photo.startswith(b"\xff\xd8\xff"):
            return _strip_jpeg(photo), "image/jpeg"
        if photo.startswith(_PNG):
            return _strip_png(photo), "image/png"
    except (struct.error, IndexError) as error:
        raise InputError("the photo is broken or cut short", where="photo") from error
    raise InputError("the photo is neither JPEG nor PNG", where="photo", hint="Send it as JPEG or PNG")


def _strip_jpeg(photo: bytes) -> bytes:
    kept = [b"\xff\xd8"]
    turn, at = 1, 2
    while True:
        while photo[at] == 0xFF and photo[at + 1] == 0xFF:
            at += 1
        if photo[at] != 0xFF:
            raise InputError("the photo is broken: a marker is missing", where=f"photo byte {at}")
        marker = photo[at + 1]
        if marker == _EOI:
            break
        if marker in _BARE:
            kept.append(photo[at : at + 2])
            at += 2
            continue
        (length,) = struct.unpack_from(">H", photo, at + 2)
        if length < 2 or at + 2 + length > len(photo):
            raise InputError("the photo is broken or cut short", where=f"photo byte {at}")
        content = photo[at + 4 : at + 2 + length]
        if marker == 0xE1 and content.startswith(b"Exif\x00\x00"):
            turn = _orientation(content[6:])
        if _jpeg_kept(marker, content):
            kept.append(photo[at : at + 2 + length])
        at += 2 + length
        if marker == _SOS:
            end = _scan_end(photo, at)
            kept.append(photo[at:end])
            at = end
    if turn != 1:
        kept.insert(1, _turn_segment(turn))
    return b"".join(kept) + b"\xff\xd9"


def _jpeg_kept(marker: int, content: bytes) -> bool:
    if marker == 0xFE:
        return False
    if 0xE0 <= marker <= 0xEF:
        jfif = marker == 0xE0 and content.startswith(b"JFIF\x00")
        colour = marker == 0xE2 and content.startswith(b"ICC_PROFILE\x00")
        return jfif or colour or (marker == 0xEE and content.startswith(b"Adobe"))
    return True


def _scan_end(photo: bytes, at: int) -> int:
    """Where the coded picture data end: at the next marker that is neither stuffing nor a restart."""
    while True:
        at = photo.find(b"\xff", at)
        if at < 0 or at + 1 >= len(photo):
            raise InputError("the photo is cut short", where="photo")
        if photo[at + 1] != 0x00 and not 0xD0 <= photo[at + 1] <= 0xD7 and photo[at + 1] != 0xFF:
            return at
        at += 1 if photo[at + 1] == 0xFF else 2


def _orientation(tiff: bytes) -> int:
    """The turn (tag 274) of the first directory of an Exif block; 1 (upright) when there is none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for index in range(entries):
            tag, kind, _count, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * index)
            if tag == 274 and kind == 3 and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1
    return 1


def _turn_segment(turn: int) -> bytes:
    tiff = b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, turn, 0, 0)
    content = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _strip_png(photo: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    while True:
        (length,) = struct.unpack_from(">I", photo, at)
        name, end = photo[at + 4 : at + 8], at + 12 + length
        if end > len(photo):
            raise InputError("the photo is cut short", where=f"photo byte {at}")
        (checksum,) = struct.unpack_from(">I", photo, end - 4)
        if zlib.crc32(photo[at + 4 : end - 4]) != checksum:
            raise InputError("the photo is broken: a checksum is wrong", where=f"photo byte {at}")
        if name in _PNG_KEPT:
            kept.append(photo[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end
