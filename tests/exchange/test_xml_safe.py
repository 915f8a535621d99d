"""Hostile and broken XML is refused by name; honest XML in any honest encoding is read."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.xml_safe import Limits, Refusal, RefusedXMLError, parse_xml, text_of

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">'
    + "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10}">' for i in range(1, 10))
    + "]><a>&x9;</a>"
)
QUADRATIC = f'<!DOCTYPE a [<!ENTITY x "{"A" * 50_000}">]><a>{"&x;" * 50_000}</a>'


def refusal(data: bytes, **kwargs: object) -> Refusal:
    """Name under which a document is refused."""
    with pytest.raises(RefusedXMLError) as caught:
        parse_xml(data, **kwargs)  # type: ignore[arg-type]  # test helper
    assert f"refused: {caught.value.refusal.value}" in str(caught.value)
    return caught.value.refusal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (BOMB, Refusal.ENTITY_EXPANSION),
        (QUADRATIC, Refusal.ENTITY_EXPANSION),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', Refusal.EXTERNAL_ENTITY),
        ('<!DOCTYPE a [<!ENTITY x PUBLIC "p" "http://127.0.0.1/x">]><a>&x;</a>', Refusal.EXTERNAL_ENTITY),
        ('<!DOCTYPE a [<!ENTITY % r SYSTEM "http://127.0.0.1/x"> %r;]><a/>', Refusal.EXTERNAL_ENTITY),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', Refusal.EXTERNAL_DTD),
        ('<!DOCTYPE a PUBLIC "p" "http://127.0.0.1/a.dtd"><a/>', Refusal.EXTERNAL_DTD),
        ("<!DOCTYPE a><a/>", Refusal.DTD),
        ('<!DOCTYPE a [<!ATTLIST a x CDATA "y">]><a/>', Refusal.DTD),
        (
            '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></a>',
            Refusal.XINCLUDE,
        ),
        ("<a><b></a>", Refusal.NOT_XML),
        ("<a>&nbsp;</a>", Refusal.NOT_XML),
        ("<a>&#1;</a>", Refusal.NOT_XML),
        ("", Refusal.NOT_XML),
        ("not XML at all", Refusal.NOT_XML),
    ],
)
def test_hostile_documents_are_named(text: str, name: Refusal) -> None:
    """Each attack is refused under its own name, in every encoding it may hide in."""
    assert refusal(text.encode()) is name
    if text:
        assert refusal(text.encode(), tolerant=True) is name
        assert refusal(("\ufeff" + text.split("?>")[-1]).encode("utf-16")) is name
        declared = '<?xml version="1.0" encoding="GB18030"?>' + text.split("?>")[-1]
        assert refusal(declared.encode("gb18030")) is name


def test_bombs_are_not_unpacked() -> None:
    """A bomb of a billion words is refused without unpacking a thousandth of it."""
    tracemalloc.start()
    try:
        refusal(BOMB.encode())
        refusal(QUADRATIC.encode())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("name", ["UTF-7", "cp037", "utf-32", "idna", "rot13", "hex", "no-such-thing"])
def test_encodings_that_can_hide_markup_are_refused(name: str) -> None:
    """Only a list of honest encodings is decoded."""
    assert refusal(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode()) is Refusal.ENCODING


def test_utf7_doctype_cannot_slip_through() -> None:
    """A declared UTF-7 would turn +ADwAIQ- into a DOCTYPE; it is never decoded."""
    data = b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a +AFs-+AF0-+AD4-<a/>'
    assert refusal(data) is Refusal.ENCODING
    assert refusal("<a/>".encode("utf-32")) is Refusal.ENCODING


def test_bounds() -> None:
    """Size, depth and number of elements are bounded, each under its own name."""
    assert refusal(b"<a/>" + b" " * 100, limits=Limits(max_bytes=50)) is Refusal.TOO_LARGE
    assert refusal(b"<a>" * 49 + b"</a>" * 49) is Refusal.TOO_DEEP
    assert refusal(b"<a>" * 5000 + b"</a>" * 5000) is Refusal.TOO_DEEP
    assert refusal(b"<r>" + b"<a/>" * 300 + b"</r>", limits=Limits(max_elements=300)) is Refusal.TOO_MANY
    assert parse_xml(b"<a>" * 48 + b"</a>" * 48).root.tag == "a"
    assert refusal(b"<a>" + b"x" * 10_100_000 + b"</a>") is Refusal.TOO_LARGE


def test_doctype_in_words_is_no_doctype() -> None:
    """The word in a comment or in character data is just a word."""
    document = parse_xml(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>")
    assert document.root.text == "<!DOCTYPE a>"


def test_text_is_never_split_by_comments() -> None:
    """A comment inside a value cannot hide its second half."""
    root = parse_xml(b"<a>duty@good.example<!-- -->.evil.example<?x y?>!</a>").root
    assert root.text == text_of(root) == "duty@good.example.evil.example!"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc_jp"]
)
def test_chinese_in_its_encodings(encoding: str) -> None:
    """Chinese comes through in each encoding used for it."""
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>道路</a>'.encode(encoding)
    assert parse_xml(data).root.text == "道路"


def test_byte_order_marks() -> None:
    """A mark at the beginning is not part of the document."""
    assert parse_xml(b"\xef\xbb\xbf" + "<a>é</a>".encode()).root.text == "é"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert parse_xml("<a>道</a>".encode(encoding)).root.text == "道"


def test_wrong_label_is_repaired_only_when_asked() -> None:
    """Latin-1 or GBK labelled as UTF-8 is read tolerantly, with a note, and refused strictly."""
    latin = "<a>Usulután café</a>".encode("latin-1")
    document = parse_xml(latin, tolerant=True)
    assert document.root.text == "Usulután café"
    assert "cp1252" in document.repairs[0]
    chinese = '<?xml version="1.0" encoding="UTF-8"?><a>道路结冰橙色预警</a>'.encode("gb18030")
    assert parse_xml(chinese, tolerant=True).root.text == "道路结冰橙色预警"
    assert refusal(latin) is Refusal.ENCODING


def test_control_characters_and_blanks_are_repaired_only_when_asked() -> None:
    """Feeds with a stray bell or a blank line before the declaration are read, with a note."""
    dirty = b'\n  <?xml version="1.0"?><a>x\x07y\x00z</a>'
    document = parse_xml(dirty, tolerant=True)
    assert document.root.text == "xyz"
    assert len(document.repairs) == 2
    assert refusal(dirty) is Refusal.NOT_XML


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    """No input makes the door fail in another way than by refusing."""
    for tolerant in (False, True):
        with contextlib.suppress(RefusedXMLError):
            assert parse_xml(data, tolerant=tolerant).root is not None


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_words_come_through(words: str) -> None:
    """Text without control characters is read as it was written."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "\ufffe" in words or "\uffff" in words:
        return
    assert (parse_xml(f"<a>{escaped}</a>".encode()).root.text or "") == words
