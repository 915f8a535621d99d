"""Public warnings: identifiers, reading, checking, signing, feeds, delivery, beside plain ways of each.

Peers, in the same run on the same messages: bare lxml (no model, no safety); the schema compiled for each
message, as validators on PyPI do; signxml with RSA-2048 read from PEM for each message, as cap-composer means
to do, and with a key object; identifiers made from the time sent alone, the formula of cap-composer f50905e;
one SQLite commit per delivery. Times are processor time, medians of several rounds; deliveries are counted by
the wall clock, since they wait for the disk.
"""

from __future__ import annotations

import gzip
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from benchmarks.harness import Row
from clearway.channels.model import OutMessage
from clearway.channels.outbox import Outbox
from clearway.channels.recording import NullChannel
from clearway.channels.registry import LiveChannels
from clearway.exchange.cap.chain import active_set, references_for
from clearway.exchange.cap.compose import Publisher, notice_message
from clearway.exchange.cap.identifiers import file_name
from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.keys import Pins, generate, load_certificates, load_key
from clearway.exchange.cap.model import Alert
from clearway.exchange.cap.render import render, validate
from clearway.exchange.cap.signature import Signer, publish, sign, verify
from clearway.exchange.feeds import Feed, atom, encode, rss
from clearway.kernel.language import Text

SENT = datetime(2015, 11, 22, 1, tzinfo=UTC)
OFFICE = Publisher(
    "duty@road.example.org", Text("Road command", "道路指挥中心"), "12122", "https://road.example.org/"
)


def run(quick: bool) -> list[Row]:
    """Measure us and the peers."""
    rounds = 5 if quick else 40
    alert = _notice(0, SENT, "Alert", ())
    data = render(alert)
    return [
        *_identifiers(1_000 if quick else 10_000),
        *_reading(data, rounds),
        *_signing(alert, data, rounds),
        *_chains(100 if quick else 1_000, rounds),
        *_feeds(rounds),
        *_delivery(100 if quick else 2_000),
    ]


def _notice(number: int, sent: datetime, msg_type: str, chain: tuple[Alert, ...]) -> Alert:
    ring = [
        [116.2 + 0.3 * (i % 60) / 60, 39.8 + (0.2 if i >= 60 else 0.0) + 0.001 * (i % 3)] for i in range(60)
    ]
    ring += [[x, y + 0.2] for x, y in reversed(ring)]
    body = {
        "hazard": "road_icing",
        "level": 3,
        "headline": {"en": f"Icy roads, orange warning {number}", "zh": f"道路结冰橙色预警{number}"},
        "description": {
            "en": "Wet roads freeze within six hours. " * 8,
            "zh": "预计六小时内路面湿滑结冰。" * 8,
        },
        "instruction": {
            "en": "Slow down. Keep your distance. " * 3,
            "zh": "减速慢行，保持车距，谨慎驾驶。" * 3,
        },
        "areas": ["Beijing"],
        "polygons": [ring],
        "geocodes": ["110000", "110101", "110102"],
        "corridors": [f"G{n}" for n in range(1, 12)],
        "starts": sent + timedelta(hours=2),
        "expires": sent + timedelta(hours=8),
        "next_update_by": sent + timedelta(hours=1),
    }
    return notice_message(
        body,
        msg_type=msg_type,
        sent=sent,
        sender=OFFICE,
        references=references_for(chain, sent) if chain else (),
        notice_id=f"notice-{number}",
    )


def _cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Median processor time of one call [ms]."""
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time_ns()
        for _ in range(5):
            work()
        times.append((time.process_time_ns() - start) / 5e6)
    return statistics.median(times)


def _identifiers(count: int) -> list[Row]:
    start = time.process_time()
    ours = [_notice(n, SENT, "Alert", ()) for n in range(count)]
    each_ms = (time.process_time() - start) * 1000 / count
    by_time = {f"2.49.0.0.156.0.{a.sent:%Y.%m.%d.%H.%M}.00" for a in ours}
    distinct = len({a.identifier for a in ours})
    note = f"{count} notices of one second; peer: identifier from the time sent alone"
    return [
        Row(f"distinct identifiers of {count} notices", distinct, len(by_time), "", f"= {count}", note),
        Row(
            "compose a notice in two languages",
            each_ms,
            None,
            "ms",
            None,
            "with polygon and identifier",
            "lower",
        ),
    ]


def _reading(data: bytes, rounds: int) -> list[Row]:
    xsd = resources.files("clearway.data").joinpath("cap").joinpath("CAP-v1.2.xsd").read_bytes()

    def compile_each_time() -> bool:
        return etree.XMLSchema(etree.fromstring(xsd)).validate(etree.fromstring(data))

    size = f"{len(data)} bytes"
    return [
        Row(
            "read a message: safety, model, schema, problems",
            _cpu_ms(lambda: parse(data), rounds),
            _cpu_ms(lambda: etree.fromstring(data), rounds),
            "ms",
            None,
            f"{size}; peer: bare lxml tree without any of it",
            "lower",
        ),
        Row(
            "check against the schema",
            _cpu_ms(lambda: validate(data), rounds),
            _cpu_ms(compile_each_time, rounds),
            "ms",
            "4x",
            f"{size}; peer: schema compiled for each message",
            "lower",
        ),
        Row(
            "write a message, checked",
            _cpu_ms(lambda: render(parse(data).alerts[0]), rounds) - _cpu_ms(lambda: parse(data), rounds),
            None,
            "ms",
            None,
            size,
            "lower",
        ),
    ]


def _signing(alert: Alert, data: bytes, rounds: int) -> list[Row]:
    pair = generate("road.example.org", at=SENT - timedelta(days=1))
    signer = Signer(load_key(pair.key_pem), tuple(load_certificates(pair.certificate_pem)))
    rsa_key, rsa_pem, rsa_cert, rsa_cert_pem = _rsa()
    root = etree.fromstring(data)

    def with_rsa(key: bytes | rsa.RSAPrivateKey, cert: str | list[x509.Certificate]) -> etree._Element:
        xml = XMLSigner(
            signature_algorithm=SignatureMethod.RSA_SHA256, digest_algorithm=DigestAlgorithm.SHA256
        )
        signed: etree._Element = xml.sign(root, key=key, cert=cert)
        return signed

    ours = publish(alert, signer)
    theirs = etree.tostring(with_rsa(rsa_key, [rsa_cert]))
    pins, peer_config = Pins.of(signer.chain), XMLVerifier()
    slow_rounds = max(3, rounds // 8)
    sign_ms = _cpu_ms(lambda: sign(data, signer.key, signer.chain), rounds)
    return [
        Row(
            "sign, checked again before it leaves",
            sign_ms,
            _cpu_ms(lambda: with_rsa(rsa_pem, rsa_cert_pem), slow_rounds),
            "ms",
            "4x",
            "ECDSA P-256, schema check, verified; peer: signxml RSA-2048, PEM read each time, unchecked",
            "lower",
        ),
        Row(
            "the same beside a key object",
            sign_ms,
            _cpu_ms(lambda: with_rsa(rsa_key, [rsa_cert]), rounds),
            "ms",
            None,
            "peer: signxml RSA-2048 with a key object, unchecked",
            "lower",
        ),
        Row(
            "verify against pins and read the message",
            _cpu_ms(lambda: verify(ours, pins, at=SENT), rounds),
            _cpu_ms(lambda: peer_config.verify(theirs, x509_cert=rsa_cert), rounds),
            "ms",
            None,
            "peer: signxml RSA-2048, certificate given, message not read",
            "lower",
        ),
    ]


def _rsa() -> tuple[rsa.RSAPrivateKey, bytes, x509.Certificate, str]:
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    return key, pem, certificate, certificate.public_bytes(encoding).decode()


def _chains(count: int, rounds: int) -> list[Row]:
    messages: list[Alert] = []
    for number in range(count // 4):
        chain: tuple[Alert, ...] = ()
        for hour, kind in enumerate(("Alert", "Update", "Update", "Cancel")):
            chain += (_notice(number, SENT + timedelta(hours=hour), kind, chain),)
        messages.extend(reversed(chain))
    at = SENT + timedelta(hours=2, minutes=30)
    each = _cpu_ms(lambda: active_set(messages, at), max(3, rounds // 4))
    note = f"{len(messages)} messages in chains of four, newest first"
    return [Row("which messages are in force", each, None, "ms", "<= 20", note)]


def _feeds(rounds: int) -> list[Row]:
    messages = [_notice(n, SENT + timedelta(minutes=n), "Alert", ()) for n in range(50)]
    feed = Feed(
        id="https://road.example.org/feed.atom",
        title=Text("Road warnings", "道路预警"),
        author=OFFICE.name,
        feed_url=lambda language: f"https://road.example.org/{language}/feed.atom",
        cap_url=lambda alert: f"https://road.example.org/cap/{file_name(alert)}",
        page_url=lambda language: f"https://road.example.org/{language}/",
    )
    at = SENT + timedelta(hours=1)
    body = atom(messages, feed, as_of=at, language="en")
    ready = encode(body, "application/atom+xml")
    whole = b"".join(render(m) for m in messages)
    note = (
        f"50 warnings, {len(body)} bytes plain, RSS {len(rss(messages, feed, as_of=at, language='en'))} plain"
    )
    return [
        Row(
            "make the Atom feed",
            _cpu_ms(lambda: atom(messages, feed, as_of=at), rounds),
            None,
            "ms",
            "<= 162",
            note,
            "lower",
        ),
        Row(
            "Atom feed over the wire",
            len(ready.gzip),
            len(gzip.compress(whole, mtime=0)),
            "B",
            None,
            "packed, 50 warnings of much the same words; peer: the messages themselves, packed",
            "lower",
        ),
    ]


def _delivery(count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        ours = _deliveries_per_s(Path(folder), count, 1)
        fan = _deliveries_per_s(Path(folder), 1, count // 4)
        peer = _commits_per_s(Path(folder) / "plain.sqlite", max(50, count // 10))
    note = "durable, receipts recorded; peer: one SQLite commit (WAL, FULL) per delivery"
    return [
        Row("deliveries of one channel", ours, peer, "1/s", None, f"{count} messages; {note}"),
        Row("deliveries of one message", fan, peer, "1/s", 167, f"{count // 4} channels; {note}"),
    ]


def _deliveries_per_s(folder: Path, messages: int, channels: int) -> float:
    outbox = Outbox(folder / f"{messages}-{channels}.sqlite")
    live = LiveChannels([NullChannel(f"c{n}") for n in range(channels)])
    expires = datetime.now(UTC) + timedelta(hours=1)
    made = [
        OutMessage(f"m{n}", b"<alert/>" * 500, "application/cap+xml", SENT, expires) for n in range(messages)
    ]
    outbox.enqueue_all([(m, tuple(live.channels)) for m in made])
    start = time.perf_counter()
    delivered = outbox.deliver(live)
    wall_s = time.perf_counter() - start
    outbox.close()
    return delivered / wall_s


def _commits_per_s(path: Path, count: int) -> float:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE sent (id TEXT PRIMARY KEY, state TEXT)")
    start = time.perf_counter()
    for number in range(count):
        db.execute("INSERT INTO sent VALUES (?, 'acknowledged')", (f"m{number}",))
    wall_s = time.perf_counter() - start
    db.close()
    return count / wall_s
