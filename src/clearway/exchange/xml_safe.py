"""One door for XML from outside: parse it, or refuse it by name.

No document type definition is ever accepted, so no entity can be declared, expanded or fetched; libxml2 is
told besides to load nothing and to reach for no network. Size, depth and number of elements are bounded.
Encodings outside a list of honest ones (UTF-7, EBCDIC …) are refused, since they can hide markup.

Threats after: OWASP XML External Entity Prevention Cheat Sheet; CWE-776 (entity expansion), CWE-611
(external entities), CWE-827 (document type definition).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from xml.parsers import expat

from lxml import etree

from clearway.kernel.errors import InputError


class Refusal(StrEnum):
    """Names of what is refused; each appears in the error as ``refused: <name>``."""

    ENTITY_EXPANSION = "entity expansion"
    EXTERNAL_ENTITY = "external entity"
    EXTERNAL_DTD = "external document type definition"
    DTD = "document type definition"
    XINCLUDE = "XInclude"
    TOO_LARGE = "too large"
    TOO_DEEP = "nested too deeply"
    TOO_MANY = "too many elements"
    ENCODING = "encoding"
    NOT_XML = "not well-formed XML"


class RefusedXMLError(InputError):
    """A document that was refused before anything in it was used; ``refusal`` names the reason."""

    code = "refused_xml"

    def __init__(self, refusal: Refusal, detail: str = "", *, where: str = "") -> None:
        what = f"refused: {refusal.value}"
        super().__init__(f"{what} ({detail})" if detail else what, where=where)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an acceptable document; the defaults hold the largest real alert (1.7 MB) ten times."""

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 48
    max_elements: int = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class SafeDocument:
    """A parsed document: its root, the encoding it came in, and what had to be repaired to read it."""

    root: etree._Element
    encoding: str
    repairs: tuple[str, ...]


DEFAULT_LIMITS: Final = Limits()
_DECLARATION = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["'][^>]*\?>""")
_DECLARATION_TEXT = re.compile(r"^<\?xml[^>]*\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HONEST = re.compile(
    r"^(utf-8|ascii|iso8859-\d+|cp125[0-8]|cp932|cp936|cp949|cp950|gb2312|gbk|gb18030|big5(hkscs)?|"
    r"shift_jis|euc_jp|euc_kr|koi8-[ru]|mac-roman|utf-16(-[lb]e)?)$"
)
_XINCLUDE = etree.XPath(
    "boolean(//xi:*)", namespaces={"xi": "http://www.w3.org/2001/XInclude"}, smart_strings=False
)
_COUNT = etree.XPath("count(//*)")
_DEPTH_CHECKS: dict[int, etree.XPath] = {}


def parse_xml(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, tolerant: bool = False, where: str = ""
) -> SafeDocument:
    """Parse ``data`` without comments and processing instructions, so that text is never split.

    Args:
        data: the whole document.
        limits: bounds on bytes, depth and elements.
        tolerant: repair a wrong encoding label, leading blanks and stray control characters, and say so
            in ``repairs``; otherwise these are refused too.
        where: name of the file or feed, for the error.

    Raises:
        RefusedXMLError: hostile, broken or too large; ``refusal`` names why.
    """
    if len(data) > limits.max_bytes:
        detail = f"{len(data)} bytes, the limit is {limits.max_bytes}"
        raise RefusedXMLError(Refusal.TOO_LARGE, detail, where=where)
    utf8, encoding, repairs = _to_utf8(data, tolerant, where)
    if b"<!DOCTYPE" in utf8:
        _refuse_doctype(utf8, where)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(utf8, parser)
    except etree.XMLSyntaxError as error:
        raise _named(error, where) from None
    _check_shape(root, limits, where)
    return SafeDocument(root, encoding, repairs)


def text_of(element: etree._Element) -> str:
    """All text below ``element``, without that of attributes."""
    if len(element) == 0:
        return element.text or ""
    return "".join(str(part) for part in element.itertext())


def _named(error: etree.XMLSyntaxError, where: str) -> RefusedXMLError:
    """Turn a syntax error into the refusal it stands for."""
    text = str(error.msg or error)
    if "depth" in text.lower():
        return RefusedXMLError(Refusal.TOO_DEEP, text, where=where)
    if "huge" in text.lower() or "too long" in text.lower():
        return RefusedXMLError(Refusal.TOO_LARGE, text, where=where)
    return RefusedXMLError(Refusal.NOT_XML, text, where=where)


def _check_shape(root: etree._Element, limits: Limits, where: str) -> None:
    count = int(float(str(_COUNT(root))))
    if count > limits.max_elements:
        detail = f"{count} elements, the limit is {limits.max_elements}"
        raise RefusedXMLError(Refusal.TOO_MANY, detail, where=where)
    deeper = _DEPTH_CHECKS.get(limits.max_depth)
    if deeper is None:
        deeper = etree.XPath("boolean(/" + "/".join(["*"] * (limits.max_depth + 1)) + ")")
        _DEPTH_CHECKS[limits.max_depth] = deeper
    if deeper(root):
        raise RefusedXMLError(Refusal.TOO_DEEP, f"more than {limits.max_depth} levels", where=where)
    if _XINCLUDE(root):
        raise RefusedXMLError(Refusal.XINCLUDE, where=where)


def _to_utf8(data: bytes, tolerant: bool, where: str) -> tuple[bytes, str, tuple[str, ...]]:
    """Bring the bytes to UTF-8; return them with the encoding found and the repairs made."""
    repairs: list[str] = []
    if tolerant and data[:1].isspace():
        data = data.lstrip()
        repairs.append("blank space before the XML declaration removed")
    encoding = _declared(data, where)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, UnicodeError) as error:
        if not tolerant:
            detail = f"the bytes are not {encoding}: {error}"
            raise RefusedXMLError(Refusal.ENCODING, detail, where=where) from None
        guess = _guess(data)
        text = data.decode(guess, errors="replace")
        repairs.append(f"the bytes are not {encoding} as declared; read as {guess}")
        encoding = guess
    if tolerant and _ILLEGAL.search(text):
        text = _ILLEGAL.sub("", text)
        repairs.append("control characters that XML forbids were removed")
    elif encoding in ("utf-8", "ascii"):
        return data, encoding, tuple(repairs)
    text = text.removeprefix("\ufeff")
    return _DECLARATION_TEXT.sub("", text, count=1).encode(), encoding, tuple(repairs)


def _declared(data: bytes, where: str) -> str:
    """Encoding by byte order mark, then by declaration, then UTF-8."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise RefusedXMLError(Refusal.ENCODING, "UTF-32", where=where)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data.startswith(b"<\x00"):
        return "utf-16-le"
    if data.startswith(b"\x00<"):
        return "utf-16-be"
    match = _DECLARATION.match(data[3:300] if data.startswith(codecs.BOM_UTF8) else data[:300])
    if match is None:
        return "utf-8"
    name = match.group(1).decode("ascii")
    try:
        known = codecs.lookup(name).name
    except LookupError:
        known = ""
    if not _HONEST.match(known):
        raise RefusedXMLError(Refusal.ENCODING, name, where=where)
    return "utf-8" if known.startswith("utf-16") else known


def _guess(data: bytes) -> str:
    """Chinese if all high bytes come in GB 2312 pairs, else Western."""
    high = re.findall(rb"[\x80-\xff]+", data)
    paired = all(len(run) % 2 == 0 and min(run) >= 0xA1 for run in high)
    return "gb18030" if paired else "cp1252"


class _PrologEndError(Exception):
    """Raised inside expat at the first element: the prolog is over."""


def _refuse_doctype(utf8: bytes, where: str) -> None:
    """Name what a document type declaration carries. Only the prolog is read and nothing is expanded."""
    found: list[tuple[Refusal, str]] = []
    parser = expat.ParserCreate("utf-8")

    def doctype(name: str, system_id: str | None, public_id: str | None, has_subset: bool) -> None:
        outside = system_id or public_id
        found.append((Refusal.EXTERNAL_DTD, str(outside)) if outside else (Refusal.DTD, name))

    def entity(
        name: str,
        is_parameter: bool,
        value: str | None,
        base: str | None,
        system_id: str | None,
        public_id: str | None,
        notation: str | None,
    ) -> None:
        label = f"%{name};" if is_parameter else f"&{name};"
        outside = value is None and (system_id or public_id)
        found.append((Refusal.EXTERNAL_ENTITY if outside else Refusal.ENTITY_EXPANSION, label))

    def first_element(name: str, attributes: dict[str, str]) -> None:
        raise _PrologEndError

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = first_element
    try:
        parser.Parse(utf8, True)
    except _PrologEndError:
        pass
    except expat.ExpatError as error:
        if not found:
            raise RefusedXMLError(Refusal.NOT_XML, str(error), where=where) from None
    if not found:
        return
    worst = (Refusal.EXTERNAL_ENTITY, Refusal.ENTITY_EXPANSION, Refusal.EXTERNAL_DTD, Refusal.DTD)
    refusal = min((r for r, _ in found), key=worst.index)
    names = [label for r, label in found if r is refusal]
    raise RefusedXMLError(refusal, ", ".join(names[:5]), where=where)
