"""Signing fails closed; verifying believes pinned certificates and the verified node, nothing else."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from clearway.exchange.cap.intake import UNPINNED, VERIFIED, parse
from clearway.exchange.cap.keys import KeyPair, Pin, Pins, generate, load_certificates, load_key, write_pair
from clearway.exchange.cap.render import render, validate
from clearway.exchange.cap.signature import (
    Reason,
    SignatureRefusedError,
    Signer,
    SigningError,
    publish,
    sign,
    verify,
)
from clearway.exchange.xml_safe import RefusedXMLError
from clearway.kernel.errors import InputError
from tests.exchange.cap.making import SENT, message

DS = "{http://www.w3.org/2000/09/xmldsig#}"
NOW = SENT + timedelta(minutes=1)


def signer_of(pair: KeyPair) -> Signer:
    """The signer a key pair makes."""
    return Signer(load_key(pair.key_pem), tuple(load_certificates(pair.certificate_pem)))


@pytest.fixture(scope="module")
def office() -> Signer:
    """Our own key."""
    return signer_of(generate("Road command", at=SENT - timedelta(days=30)))


@pytest.fixture(scope="module")
def stranger() -> Signer:
    """A key of the same name that nobody pinned."""
    return signer_of(generate("Road command", at=SENT - timedelta(days=30)))


@pytest.fixture(scope="module")
def signed(office: Signer) -> bytes:
    """A published message."""
    return publish(message("urn:x:1", headline="Icy roads"), office)


def refused(data: bytes, pins: Pins, at: datetime = NOW) -> Reason:
    """Name under which a message is refused."""
    with pytest.raises(SignatureRefusedError) as caught:
        verify(data, pins, at=at)
    assert f"refused: {caught.value.reason.value}" in caught.value.what
    return caught.value.reason


def test_published_messages_verify(office: Signer, signed: bytes) -> None:
    """What we publish is valid, signed as last child of alert, and verifies to the same message."""
    assert validate(signed) == []
    root = etree.fromstring(signed)
    assert root[-1].tag == f"{DS}Signature"
    method = root.find(f".//{DS}SignatureMethod")
    assert method is not None
    assert method.get("Algorithm") == "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    expected = message("urn:x:1", headline="Icy roads")
    assert verify(signed, Pins.of(office.chain), at=NOW) == expected
    (received,) = parse(signed, pins=Pins.of(office.chain), at=NOW).received
    assert (received.signature, received.alert) == (VERIFIED, expected)
    assert parse(signed).received[0].signature == UNPINNED


def test_same_key_and_message_same_bytes(office: Signer, signed: bytes) -> None:
    """Signatures are deterministic (RFC 6979), so that a replay writes the same files."""
    assert publish(message("urn:x:1", headline="Icy roads"), office) == signed


def test_signing_fails_closed(office: Signer, stranger: Signer, signed: bytes) -> None:
    """Without a fitting key there are no bytes to publish, whatever went wrong."""
    good = render(message("urn:x:2"))
    with pytest.raises(SigningError, match="no signing key"):
        publish(message("urn:x:2"), None)
    with pytest.raises(SigningError, match="does not belong"):
        sign(good, office.key, stranger.chain)
    with pytest.raises(SigningError, match="does not belong"):
        sign(good, office.key, ())
    with pytest.raises(SigningError, match="cannot be read"):
        sign(good, b"not a key", office.chain)
    with pytest.raises(SigningError, match="unsigned"):
        sign(signed, office.key, office.chain)
    with pytest.raises(SigningError, match="refused"):
        sign(b"<!DOCTYPE a><a/>", office.key, office.chain)
    with pytest.raises(SigningError, match="not valid"):
        sign(b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>', office.key, office.chain)
    base = message("urn:x:2")
    broken = replace(base, infos=(replace(base.infos[0], categories=()),))
    with pytest.raises(InputError, match="category"):
        publish(broken, office)


def test_expired_key_cannot_sign(office: Signer) -> None:
    """A message dated outside the life of the certificate is not signed."""
    for sent in (SENT + timedelta(days=365 * 3), SENT - timedelta(days=60)):
        with pytest.raises(SigningError, match="does not count"):
            publish(message("urn:x:3", sent=sent), office)


def test_other_keys_are_not_signing_keys(tmp_path: Path, office: Signer) -> None:
    """Only P-256 keys sign; missing and broken files are named."""
    private = serialization.PrivateFormat.PKCS8
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        pem = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        with pytest.raises(InputError, match="P-256"):
            load_key(pem)
    with pytest.raises(SigningError, match="cannot be used"):
        Signer.load(tmp_path / "none.pem", tmp_path / "none.crt")
    with pytest.raises(InputError, match="no certificate"):
        load_certificates(b"nothing")


def test_keys_are_written_once_and_protected(tmp_path: Path) -> None:
    """A new key is readable by its owner only, encrypted on wish, and never overwrites another."""
    pair = generate("Road command", at=SENT, passphrase=b"correct horse")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    write_pair(pair, key, cert)
    assert os.name != "posix" or key.stat().st_mode & 0o077 == 0
    with pytest.raises(SigningError):
        Signer.load(key, cert, b"wrong")
    with pytest.raises(SigningError):
        Signer.load(key, cert)
    assert publish(message("urn:x:4"), Signer.load(key, cert, b"correct horse"))
    with pytest.raises(InputError, match="not overwritten"):
        write_pair(pair, key, cert)
    for name, days in (("", 10), ("x" * 65, 10), ("x", 0), ("x", 800)):
        with pytest.raises(InputError):
            generate(name, at=SENT, days=days)


def test_a_strangers_certificate_is_refused(office: Signer, stranger: Signer) -> None:
    """A valid signature by an unknown key counts for nothing, whatever name it gives itself."""
    data = publish(message("urn:x:5"), stranger)
    assert refused(data, Pins.of(office.chain)) is Reason.STRANGER
    assert refused(data, Pins(())) is Reason.STRANGER
    assert (
        parse(data, pins=Pins.of(office.chain), at=NOW)
        .received[0]
        .signature.startswith("refused: a stranger")
    )


def test_stranger_cannot_borrow_our_certificate(office: Signer, stranger: Signer, signed: bytes) -> None:
    """Putting our certificate beside a stranger's signature does not help."""
    foreign = publish(message("urn:x:1", headline="Icy roads"), stranger)
    ours, theirs = etree.fromstring(signed), etree.fromstring(foreign)
    certificate, target = ours.find(f".//{DS}X509Certificate"), theirs.find(f".//{DS}X509Certificate")
    assert certificate is not None
    assert target is not None
    target.text = certificate.text
    assert refused(etree.tostring(theirs), Pins.of(office.chain)) is Reason.ALTERED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Icy roads", b"All clear"),
        (b"<severity>Severe", b"<severity>Minor"),
        (b"<status>Actual", b"<status>Test"),
        (b"T07:00:00+00:00</expires>", b"T09:00:00+00:00</expires>"),
        (b"</info>", b"<area><areaDesc>x</areaDesc></area></info>"),
    ],
)
def test_altered_content_is_refused(office: Signer, signed: bytes, old: bytes, new: bytes) -> None:
    """Any change to the words, facts or structure is found."""
    assert old in signed
    assert refused(signed.replace(old, new, 1), Pins.of(office.chain)) is Reason.ALTERED


def test_altered_signature_value_is_refused(office: Signer, signed: bytes) -> None:
    """Any other signature value is refused, also one of the wrong length."""
    root = etree.fromstring(signed)
    value = root.find(f".//{DS}SignatureValue")
    assert value is not None
    assert value.text is not None
    raw = bytearray(base64.b64decode(value.text))
    for mangled in (bytes([raw[0] ^ 1]) + raw[1:], bytes(raw[:-1]), bytes(64)):
        value.text = base64.b64encode(mangled).decode()
        assert refused(etree.tostring(root), Pins.of(office.chain)) is Reason.ALTERED


def wrapped_variants(signed: bytes) -> dict[str, str]:
    """Ways to put a good signature around, beside or inside evil content."""
    text = signed.decode().partition("\n")[2].strip()
    evil = render(message("urn:x:evil", headline="Evacuate now")).decode().partition("\n")[2].strip()
    signature = text[text.index("<ds:Signature") : text.index("</alert>")]
    by_id = signature.replace('URI=""', 'URI="#good"')
    head = evil.removesuffix("</alert>")
    holding = signature.replace("</ds:Signature>", f"<ds:Object>{text}</ds:Object></ds:Signature>")
    return {
        "good alert inside evil one": f"{head}{text}</alert>",
        "good alert as object in the signature": f"{head}{holding}</alert>",
        "good alert in an info": evil.replace("</info>", f"{text}</info>"),
        "reference by id": f"{head}{by_id}</alert>",
        "reference by id with the good one nested": f"{head}<x Id='good'>{text}</x>{by_id}</alert>",
        "signature not last": text.replace("</alert>", "<note>evil</note></alert>"),
        "signature inside info": evil.replace("</info>", f"{signature}</info>"),
        "envelope around": f"<feed>{text}{evil}</feed>",
        "evil first in an envelope": f"<feed xmlns='http://www.w3.org/2005/Atom'><entry>{evil}</entry>{text}</feed>",
    }


def test_wrapped_signatures_are_refused_by_name(office: Signer, signed: bytes) -> None:
    """A good signature does not lend its trust to anything it does not cover."""
    for name, text in wrapped_variants(signed).items():
        reason = refused(text.encode(), Pins.of(office.chain))
        assert reason is Reason.WRAPPED, name
        for received in parse(text.encode(), pins=Pins.of(office.chain), at=NOW).received:
            if received.alert.identifier == "urn:x:evil":
                assert received.signature != VERIFIED, name


def test_moved_signature_is_refused(office: Signer, signed: bytes) -> None:
    """A signature taken from one message does not fit another, and two signatures are one too many."""
    text = signed.decode()
    signature = text[text.index("<ds:Signature") : text.index("</alert>")]
    other = render(message("urn:x:6")).decode().replace("</alert>", f"{signature}</alert>")
    assert refused(other.encode(), Pins.of(office.chain)) is Reason.ALTERED
    double = text.replace("</alert>", f"{signature}</alert>")
    assert refused(double.encode(), Pins.of(office.chain)) is Reason.SEVERAL
    assert refused(render(message("urn:x:6")), Pins.of(office.chain)) is Reason.NONE


def test_sha1_and_foreign_transforms_are_refused(office: Signer, signed: bytes) -> None:
    """Weak algorithms and transforms that could drop content are refused before any arithmetic."""
    pins = Pins.of(office.chain)
    sha1 = signed.replace(b"2001/04/xmldsig-more#ecdsa-sha256", b"2001/04/xmldsig-more#ecdsa-sha1")
    assert refused(sha1, pins) is Reason.SHA1
    digest = signed.replace(
        b"http://www.w3.org/2001/04/xmlenc#sha256", b"http://www.w3.org/2000/09/xmldsig#sha1"
    )
    assert refused(digest, pins) is Reason.SHA1
    xpath = signed.replace(
        b'Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"',
        b'Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"',
    )
    assert refused(xpath, pins) is Reason.ALGORITHM
    hmac = signed.replace(b"2001/04/xmldsig-more#ecdsa-sha256", b"2001/04/xmldsig-more#hmac-sha256")
    assert refused(hmac, pins) is Reason.ALGORITHM
    bare = etree.fromstring(signed)
    key_info = bare.find(f".//{DS}KeyInfo")
    assert key_info is not None
    key_info.clear()
    assert refused(etree.tostring(bare), pins) is Reason.STRANGER


def test_real_sha1_signatures_are_refused(shared_data: Path, office: Signer) -> None:
    """Signed alerts of Canada and the USGS are refused for SHA-1, even with their own certificates pinned."""
    folder = shared_data / "cap" / "samples" / "google-testdata"
    pems = [(folder / f).read_bytes() for f in ("environment_canada_x509_cert.pem", "naads_x509_cert.pem")]
    pins = Pins.from_pem(pems)
    for name in ("canada_signed.cap", "earthquake_signed.cap", "earthquake-iso8859-1.cap"):
        assert refused((folder / name).read_bytes(), pins, datetime(2026, 1, 1, tzinfo=UTC)) is Reason.SHA1


def test_hostile_xml_is_refused_before_the_signature(office: Signer) -> None:
    """A signature does not make a bomb acceptable."""
    with pytest.raises(RefusedXMLError, match="entity expansion"):
        verify(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', Pins.of(office.chain), at=NOW)


def test_other_strong_signatures_are_accepted() -> None:
    """A partner may sign with RSA and SHA-256; one that is pinned counts."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Partner")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(7).not_valid_before(SENT - timedelta(1)).not_valid_after(SENT + timedelta(1))
    )
    certificate = builder.sign(key, hashes.SHA256())
    xml = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256, digest_algorithm=DigestAlgorithm.SHA256
    ).sign(etree.fromstring(render(message("urn:p:1"))), key=key, cert=[certificate])
    assert verify(etree.tostring(xml), Pins.of([certificate]), at=NOW).identifier == "urn:p:1"


def test_rotation() -> None:
    """Two pins whose times overlap: each message counts if its own time fits its key's."""
    old = signer_of(generate("Road command", at=SENT - timedelta(days=300), days=330))
    new = signer_of(generate("Road command", at=SENT - timedelta(days=1)))
    pins = Pins((Pin.of(old.chain[0], until=SENT + timedelta(days=7)), Pin.of(new.chain[0], from_=SENT)))
    later = SENT + timedelta(days=8)
    assert verify(publish(message("urn:x:7"), old), pins, at=NOW)
    assert verify(publish(message("urn:x:8"), new), pins, at=NOW)
    assert verify(publish(message("urn:x:7"), old), pins, at=later).identifier == "urn:x:7"
    assert refused(publish(message("urn:x:9", sent=later), old), pins, later) is Reason.OUT_OF_TIME
    early = publish(message("urn:x:10", sent=SENT - timedelta(hours=2)), new)
    assert refused(early, pins) is Reason.OUT_OF_TIME


def test_messages_from_the_future_are_refused(office: Signer) -> None:
    """A message may be dated ten minutes ahead of our clock and no more."""
    ahead = publish(message("urn:x:11", sent=NOW + timedelta(minutes=9)), office)
    assert verify(ahead, Pins.of(office.chain), at=NOW)
    far = publish(message("urn:x:12", sent=NOW + timedelta(minutes=11)), office)
    assert refused(far, Pins.of(office.chain)) is Reason.FUTURE


def test_pinned_authority_vouches_for_what_it_issued(office: Signer) -> None:
    """A pinned authority covers leaves it issued itself; a pinned leaf covers nothing but itself."""
    ca_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = issue("Authority", ca_key, ca_key, "Authority", ca=True)
    leaf = issue("Leaf", leaf_key, ca_key, "Authority", ca=False)
    data = publish(message("urn:x:13"), Signer(leaf_key, (leaf, authority)))
    assert verify(data, Pins.of([authority]), at=NOW).identifier == "urn:x:13"
    assert refused(data, Pins.of(office.chain)) is Reason.STRANGER
    other = ec.generate_private_key(ec.SECP256R1())
    forged = issue("Leaf", leaf_key, other, "Authority", ca=False)
    assert (
        refused(publish(message("urn:x:13"), Signer(leaf_key, (forged,))), Pins.of([authority]))
        is Reason.STRANGER
    )
    below = issue("Below", other, leaf_key, "Leaf", ca=False)
    assert refused(publish(message("urn:x:13"), Signer(other, (below,))), Pins.of([leaf])) is Reason.STRANGER


def issue(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    ca: bool,
) -> x509.Certificate:
    """A certificate for tests."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(SENT - timedelta(days=1))
        .not_valid_after(SENT + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
