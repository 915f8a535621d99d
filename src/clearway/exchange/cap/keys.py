"""Keys that sign warnings and certificates that are trusted: make, load, pin, rotate.

A pin is a certificate somebody put on the list by hand, with the time in which it counts. Rotation is two
pins whose times overlap. A pinned authority may vouch for the certificates it issued itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clearway.kernel.clock import require_utc
from clearway.kernel.errors import InputError

MAX_YEARS: Final = 2
"""Longest life of a signing key we make (rotation rule of Google's CAP guidance)."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key and its self-signed certificate, both PEM; the key encrypted if a passphrase was given."""

    key_pem: bytes
    certificate_pem: bytes


def generate(
    common_name: str, *, at: datetime, days: int = 365 * MAX_YEARS, passphrase: bytes | None = None
) -> KeyPair:
    """Make an ECDSA P-256 key and a self-signed certificate for signing, valid from ``at``.

    Raises:
        InputError: empty or too long a name, or a life longer than two years.
    """
    if not 0 < len(common_name) <= 64:
        raise InputError("the name on a certificate has 1 to 64 characters", where="common name")
    if not 0 < days <= 366 * MAX_YEARS:
        raise InputError(f"a signing key lives 1 to {366 * MAX_YEARS} days", where="days")
    start = require_utc(at).replace(microsecond=0)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    secret: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    )
    key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    return KeyPair(key_pem, certificate.public_bytes(serialization.Encoding.PEM))


def write_pair(pair: KeyPair, key_file: Path, certificate_file: Path) -> None:
    """Write both files, the key readable by its owner only; neither may exist yet.

    Raises:
        InputError: a file of that name is there already.
    """
    for path, content, mode in (
        (key_file, pair.key_pem, 0o600),
        (certificate_file, pair.certificate_pem, 0o644),
    ):
        try:
            path.touch(mode=mode, exist_ok=False)
        except FileExistsError:
            raise InputError("the file exists and is not overwritten", where=str(path)) from None
        path.write_bytes(content)


def load_key(pem: bytes, passphrase: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 signing key.

    Raises:
        InputError: not a key, wrong passphrase, or not ECDSA on P-256.
    """
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"the signing key cannot be read: {error}", where="key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InputError("the signing key must be ECDSA on curve P-256", where="key")
    return key


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Read one or more certificates.

    Raises:
        InputError: none in there, or one is broken.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InputError(f"no certificate can be read: {error}", where="certificate") from None


@dataclass(frozen=True, slots=True)
class DeterministicKey:
    """A P-256 key that signs the same bytes the same way (RFC 6979), so that replays give the same files."""

    key: ec.EllipticCurvePrivateKey

    @property
    def key_size(self) -> int:
        """Bits of the curve."""
        return self.key.key_size

    def sign(self, data: bytes, signature_algorithm: ec.ECDSA) -> bytes:
        """DER signature with a nonce derived from key and data."""
        algorithm: Any = signature_algorithm.algorithm
        return self.key.sign(data, ec.ECDSA(algorithm, deterministic_signing=True))


@dataclass(frozen=True, slots=True)
class Pin:
    """One trusted certificate and the time in which messages signed with it count."""

    certificate: x509.Certificate
    counts_from: datetime
    counts_until: datetime

    @classmethod
    def of(
        cls, certificate: x509.Certificate, *, from_: datetime | None = None, until: datetime | None = None
    ) -> Pin:
        """Pin a certificate for its whole life, or for a part of it."""
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return cls(
            certificate,
            max(start, require_utc(from_)) if from_ else start,
            min(end, require_utc(until)) if until else end,
        )

    @property
    def name(self) -> str:
        """Subject of the certificate."""
        return self.certificate.subject.rfc4514_string()

    def counts_at(self, at: datetime) -> bool:
        """Whether a message of that time may be signed with it."""
        return self.counts_from <= at <= self.counts_until

    def covers(self, certificate: x509.Certificate) -> bool:
        """Whether ``certificate`` is the pinned one, or was issued directly by a pinned authority."""
        if certificate == self.certificate:
            return True
        try:
            constraints = self.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            if not constraints.ca:
                return False
            certificate.verify_directly_issued_by(self.certificate)
        except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Pins:
    """The list of trusted certificates; empty means nobody is trusted."""

    pins: tuple[Pin, ...]

    def __iter__(self) -> Iterator[Pin]:
        return iter(self.pins)

    @classmethod
    def of(cls, certificates: Iterable[x509.Certificate]) -> Pins:
        """Pin certificates for their whole lives."""
        return cls(tuple(Pin.of(c) for c in certificates))

    @classmethod
    def from_pem(cls, pems: Sequence[bytes]) -> Pins:
        """Pin every certificate in PEM texts.

        Raises:
            InputError: a text without a readable certificate.
        """
        return cls.of(c for pem in pems for c in load_certificates(pem))
