"""XML signatures on alerts: enveloped, ECDSA P-256 with SHA-256, exclusive canonical XML.

Signing fails closed: what comes back was verified with the certificate it carries, or an error says that
nothing may be published. Verifying trusts a list of pinned certificates and nothing else, and hands back the
content of the verified node only, never of the document around it.

Sources: W3C XML Signature Syntax and Processing 1.1; W3C XML Signature Best Practices (see what is signed);
CAP 1.2, section 3.3.2.1 (enveloped signature, last child of alert).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, InvalidDigest, InvalidInput, InvalidSignature
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from clearway.exchange.cap import model
from clearway.exchange.cap.keys import DeterministicKey, Pin, Pins, load_certificates, load_key
from clearway.exchange.cap.model import Alert
from clearway.exchange.cap.reading import SIGNATURE, Reader
from clearway.exchange.cap.render import render, schema_errors
from clearway.exchange.xml_safe import parse_xml, text_of
from clearway.kernel.clock import require_utc
from clearway.kernel.errors import InputError, SystemFailureError

__all__ = ["Pins", "Reason", "SignatureRefusedError", "Signer", "SigningError", "publish", "sign", "verify"]

_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_TRANSFORMS: Final = (
    *(_EXCLUSIVE, f"{_EXCLUSIVE}WithComments", _ENVELOPED),
    *("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11"),
)
_METHODS: Final = frozenset(
    {
        *(SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512),
        *(SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512),
    }
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
CLOCK_SKEW: Final = timedelta(minutes=10)
"""How far ahead of our clock a message may be dated."""


class Reason(StrEnum):
    """Names of what is wrong with a signature."""

    NONE = "no signature"
    WRAPPED = "wrapped signature"
    SEVERAL = "more than one signature"
    STRANGER = "a stranger's certificate"
    SHA1 = "SHA-1"
    ALGORITHM = "algorithm not accepted"
    ALTERED = "content or signature altered"
    OUT_OF_TIME = "certificate does not count at that time"
    FUTURE = "dated in the future"
    NOT_CAP = "not a CAP 1.2 alert"


class SignatureRefusedError(InputError):
    """A signature that does not count; ``reason`` names why."""

    code = "refused_signature"

    def __init__(self, reason: Reason, detail: str = "") -> None:
        what = f"refused: {reason.value}"
        super().__init__(f"{what} ({detail})" if detail else what)
        self.reason = reason


class SigningError(SystemFailureError):
    """A message could not be signed; it must not be published."""

    code = "signing_failed"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; nothing is published", hint="Repair the signing key and try again")


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """A signing key with its certificate chain, leaf first."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]

    @classmethod
    def load(cls, key_file: Path, chain_file: Path, passphrase: bytes | None = None) -> Signer:
        """Read key and chain from PEM files.

        Raises:
            SigningError: a file is missing, broken, or they do not belong together.
        """
        try:
            key = load_key(key_file.read_bytes(), passphrase)
            chain = load_certificates(chain_file.read_bytes())
        except (OSError, InputError) as error:
            raise SigningError(f"signing key or certificate cannot be used: {error}") from None
        signer = cls(key, tuple(chain))
        signer.check()
        return signer

    def check(self) -> None:
        """Make sure that key and leaf certificate belong together.

        Raises:
            SigningError: they do not, or there is no certificate.
        """
        if not self.chain or self.chain[0].public_key() != self.key.public_key():
            raise SigningError("the signing key does not belong to the certificate")


def publish(alert: Alert, signer: Signer | None) -> bytes:
    """Render and sign; the only way for a message of ours to become bytes for the public.

    Raises:
        SigningError: no signer, or signing failed.
        InputError: the message breaks a rule of CAP.
    """
    if signer is None:
        raise SigningError("there is no signing key")
    return sign(render(alert), signer.key, signer.chain)


def sign(
    data: bytes, key: ec.EllipticCurvePrivateKey | bytes, cert_chain: Sequence[x509.Certificate]
) -> bytes:
    """Sign a valid, unsigned CAP 1.2 alert.

    Args:
        data: the message as :func:`~clearway.exchange.cap.render.render` wrote it.
        key: P-256 key, or its PEM.
        cert_chain: certificates to put inside, leaf first.

    Returns:
        The message with the signature as last child of ``alert``, already verified once.

    Raises:
        SigningError: for whatever reason; the caller has nothing to publish then.
    """
    try:
        private = load_key(key) if isinstance(key, bytes) else key
        Signer(private, tuple(cert_chain)).check()
        root = parse_xml(data).root
        if root.tag != f"{{{model.NAMESPACE}}}alert" or root.find(f".//{SIGNATURE}") is not None:
            raise SigningError("only an unsigned CAP 1.2 alert can be signed")
        signed = _signed(root, private, cert_chain)
        errors = schema_errors(parse_xml(signed).root)
        if errors:
            raise SigningError(f"the signed message is not valid: {errors[0]}")
        _verified(signed, Pins.of(cert_chain[:1]))
    except (InputError, InvalidInput, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise SigningError(f"signing failed: {error}") from error
    return signed


def _signed(
    root: etree._Element, key: ec.EllipticCurvePrivateKey, cert_chain: Sequence[x509.Certificate]
) -> bytes:
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=_EXCLUSIVE,
    )
    steady: Any = DeterministicKey(key)
    signed = signer.sign(root, key=steady, cert=list(cert_chain))
    body: bytes = etree.tostring(signed, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def verify(data: bytes, pins: Pins, *, at: datetime) -> Alert:
    """Check the signature of an alert and read the content that was really signed.

    A message counts if its own time lies within the pin's; taking a pin off the list withdraws trust from
    everything signed with it.

    Args:
        data: one CAP 1.2 alert, without an envelope.
        pins: trusted certificates.
        at: present; messages dated later are refused.

    Raises:
        SignatureRefusedError: it does not count; ``reason`` names why.
        RefusedXMLError: hostile or broken XML.
    """
    alert = _verified(data, pins)
    if alert.sent > require_utc(at) + CLOCK_SKEW:
        raise SignatureRefusedError(Reason.FUTURE, alert.sent.isoformat())
    return alert


def _verified(data: bytes, pins: Pins) -> Alert:
    root = parse_xml(data).root
    signature = _only_signature(root)
    _check_method(signature)
    certificate = _certificate(signature)
    pin = next((p for p in pins if p.covers(certificate)), None)
    if pin is None:
        raise SignatureRefusedError(Reason.STRANGER, certificate.subject.rfc4514_string())
    reader = Reader()
    alert = reader.alert(_verified_node(root, certificate))
    if alert is None:
        raise SignatureRefusedError(Reason.NOT_CAP, "; ".join(str(p) for p in reader.problems))
    own = Pin.of(certificate)
    if not (pin.counts_at(alert.sent) and own.counts_at(alert.sent)):
        raise SignatureRefusedError(Reason.OUT_OF_TIME, f"{pin.name} at {alert.sent.isoformat()}")
    return alert


def _only_signature(root: etree._Element) -> etree._Element:
    """The one signature, which must be the last child of the one alert and not made with SHA-1."""
    alerts = list(root.iter(*(f"{{{namespace}}}alert" for namespace in model.NAMESPACES)))
    signatures = list(root.iter(SIGNATURE))
    if not signatures:
        raise SignatureRefusedError(Reason.NONE)
    if len(alerts) > 1 or (alerts and alerts[0] is not root):
        raise SignatureRefusedError(Reason.WRAPPED, "an alert lies inside another element")
    methods = [
        e.get("Algorithm", "")
        for s in signatures
        for e in s.iter(f"{_DS}SignatureMethod", f"{_DS}DigestMethod")
    ]
    weak = [method for method in methods if "sha1" in method.lower()]
    if weak:
        raise SignatureRefusedError(Reason.SHA1, weak[0])
    if root.tag != f"{{{model.NAMESPACE}}}alert":
        raise SignatureRefusedError(Reason.NOT_CAP, str(root.tag))
    if len(signatures) > 1:
        raise SignatureRefusedError(Reason.SEVERAL, str(len(signatures)))
    if root[-1] is not signatures[0]:
        raise SignatureRefusedError(Reason.WRAPPED, "the signature is not the last child of the alert")
    return signatures[0]


def _check_method(signature: etree._Element) -> None:
    """Accept only one reference to the whole document and known transforms."""
    info = signature.find(f"{_DS}SignedInfo")
    references = [] if info is None else info.findall(f"{_DS}Reference")
    if info is None or len(references) != 1 or references[0].get("URI") != "":
        raise SignatureRefusedError(Reason.WRAPPED, "the signature does not cover the whole alert")
    transforms = [t.get("Algorithm", "") for t in info.iter(f"{_DS}Transform")]
    strange = [t for t in transforms if t not in _TRANSFORMS]
    if strange or _ENVELOPED not in transforms:
        raise SignatureRefusedError(Reason.ALGORITHM, ", ".join(strange) or "not an enveloped signature")


def _certificate(signature: etree._Element) -> x509.Certificate:
    element = signature.find(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
    if element is None:
        raise SignatureRefusedError(Reason.STRANGER, "the signature carries no certificate")
    text = "".join(text_of(element).split())
    pem = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise SignatureRefusedError(Reason.STRANGER, f"unreadable certificate: {error}") from None


def _verified_node(root: etree._Element, certificate: x509.Certificate) -> etree._Element:
    config = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=certificate.not_valid_before_utc,  # validity is checked against `sent` afterwards
    )
    try:
        result: Any = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config)
    except (InvalidDigest, InvalidSignature) as error:
        raise SignatureRefusedError(Reason.ALTERED, str(error)) from None
    except (InvalidInput, InvalidCertificate, etree.LxmlError, ValueError) as error:
        raise SignatureRefusedError(Reason.ALGORITHM, str(error)) from None
    node: etree._Element | None = result.signed_xml
    if node is None or node.tag != f"{{{model.NAMESPACE}}}alert":
        raise SignatureRefusedError(Reason.WRAPPED, "the signed node is not an alert")
    return node
