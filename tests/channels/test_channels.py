"""Channels: files whole or not at all, webhooks signed and bounded, drills with nothing to send with."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.channels.file import FileChannel
from clearway.channels.model import Channel, DeliveryError, State
from clearway.channels.outbox import Outbox
from clearway.channels.recording import NullChannel, RecordingChannel
from clearway.channels.registry import DrillChannels, LiveChannels
from clearway.channels.webhook import SIGNATURE_HEADER, WebhookChannel, signature, signature_is_valid
from clearway.channels.worker import DeliveryWorker
from clearway.kernel.clock import ManualClock, epoch_s
from clearway.kernel.errors import InputError
from tests.channels.making import QUICK, T0, ScriptedChannel, out

SECRET = b"0123456789abcdef"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers as its server was told and keeps what it got."""

    def do_POST(self) -> None:
        """Take one message."""
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((dict(self.headers), body))
        if server.wait_s:
            time.sleep(server.wait_s)
        self.send_response(server.code)
        for name, value in server.extra.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class QuietServer(http.server.ThreadingHTTPServer):
    """Does not print when a client hangs up, which some tests do on purpose."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def receiver(
    code: int = 200, answer: bytes = b"", wait_s: float = 0.0, tls: ssl.SSLContext | None = None, **extra: str
) -> Iterator[Any]:
    """A receiver on loopback."""
    server: Any = QuietServer(("127.0.0.1", 0), Receiver)
    server.got, server.code, server.answer, server.wait_s = [], code, answer, wait_s
    server.extra = {name.replace("_", "-"): value for name, value in extra.items()}
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hook(server: Any, **changes: Any) -> WebhookChannel:
    """A channel to the receiver."""
    return WebhookChannel("hook", server.url, SECRET, clock=ManualClock(T0), **changes)


def test_webhook_posts_a_signed_body() -> None:
    """The receiver can tell who sent it, what it is and whether it had it before."""
    with receiver(answer=b"thanks", X_Receipt_Id="r-1") as server:
        receipt = hook(server).deliver(out("urn:x:a"), 3)
    ((headers, body),) = server.got
    assert body == b"<alert/>"
    assert headers["Idempotency-Key"] == "urn:x:a"
    assert headers["X-Clearway-Attempt"] == "3"
    assert headers["Content-Type"] == "application/cap+xml"
    assert signature_is_valid(SECRET, body, headers[SIGNATURE_HEADER], epoch_s(T0))
    assert (receipt.acknowledged, receipt.reference, receipt.detail) == (True, "r-1", "200 thanks")


def test_webhook_signature() -> None:
    """Other content, another secret, an old or mangled stamp are not valid."""
    now = epoch_s(T0)
    header = signature(SECRET, b"body", now)
    assert signature_is_valid(SECRET, b"body", header, now + 299)
    for secret, body, stamp, at in (
        (SECRET, b"Body", header, now),
        (b"another secret!!", b"body", header, now),
        (SECRET, b"body", header, now + 301),
        (SECRET, b"body", header.replace(f"t={now}", f"t={now + 1}"), now),
        (SECRET, b"body", "", now),
        (SECRET, b"body", "t=²,v1=x", now),
        (SECRET, b"body", f"t={now},v1=é", now),
    ):
        assert not signature_is_valid(secret, body, stamp, at)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        (500, True),
        (503, True),
        (429, True),
        (408, True),
        (400, False),
        (401, False),
        (404, False),
        (302, False),
    ],
)
def test_webhook_answers(code: int, retryable: bool) -> None:
    """Trouble at the receiver is tried again; a refusal or a redirect is not."""
    answering = receiver(code, b"why", Location="http://127.0.0.1:9/", Retry_After="17")
    with answering as server, pytest.raises(DeliveryError) as caught:
        hook(server).deliver(out("a"), 1)
    assert caught.value.retryable is retryable
    assert caught.value.retry_after_s == 17.0
    assert str(code) in caught.value.what
    assert len(server.got) == 1


def test_webhook_waits_for_receipts_if_told() -> None:
    """For a receiver that only queues, a 202 is sent, not acknowledged."""
    with receiver(202) as server:
        assert hook(server, await_receipt=True).deliver(out("a"), 1).acknowledged is False


def test_webhook_gives_up_on_silence() -> None:
    """No listener and no answer in time are failures to be tried again."""
    with receiver() as server:
        gone = hook(server)
    with pytest.raises(DeliveryError, match="no answer") as caught:
        gone.deliver(out("a"), 1)
    assert caught.value.retryable
    with receiver(wait_s=0.5) as server, pytest.raises(DeliveryError, match="no answer"):
        hook(server, timeout_s=0.05).deliver(out("a"), 1)


def test_webhook_reads_a_bounded_answer() -> None:
    """An answer of megabytes is not read to its end."""
    with receiver(answer=b"x" * 3_000_000) as server:
        assert len(hook(server).deliver(out("a"), 1).detail) < 300


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1."""
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    from clearway.kernel.clock import SystemClock

    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    return folder / "key.pem", folder / "cert.pem"


def test_webhook_checks_the_receivers_certificate(certificate: tuple[Path, Path]) -> None:
    """A receiver nobody vouches for gets nothing; one with a known certificate does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with receiver(tls=context) as server:
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            hook(server).deliver(out("a"), 1)
        assert server.got == []
        assert hook(server, ca_file=str(certificate[1])).deliver(out("a"), 1).acknowledged


@pytest.mark.parametrize(
    "url",
    [
        *("http://road.example/hook", "ftp://road.example/", "https://", "https://user:pw@road.example/"),
        *("file:///etc/passwd", "https://[::1", "https://road.example:x/", "road.example/hook"),
    ],
)
def test_webhook_addresses(url: str) -> None:
    """Only https is posted to, or http on this machine."""
    with pytest.raises(InputError):
        WebhookChannel("hook", url, SECRET)


def test_webhook_secret_is_long_enough() -> None:
    """A short secret is refused."""
    with pytest.raises(InputError, match="16 bytes"):
        WebhookChannel("hook", "https://road.example/", b"short")


def test_file_channel_writes_once(tmp_path: Path) -> None:
    """A file appears whole, is the same bytes, and is never changed afterwards."""
    channel = FileChannel("files", tmp_path / "notices")
    receipt = channel.deliver(out("urn:x:a"), 1)
    (path,) = (tmp_path / "notices").iterdir()
    assert (path.name, path.read_bytes()) == (receipt.reference, b"<alert/>")
    assert channel.deliver(out("urn:x:a"), 2).detail == "was there already"
    with pytest.raises(DeliveryError) as caught:
        channel.deliver(out("urn:x:a", body=b"<other/>"), 1)
    assert not caught.value.retryable
    assert path.read_bytes() == b"<alert/>"


def test_file_channel_tells_of_the_disk(tmp_path: Path) -> None:
    """A folder that cannot be written is a failure to be tried again, and leaves nothing half-written."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryError) as caught:
        FileChannel("files", tmp_path / "file").deliver(out("a"), 1)
    assert caught.value.retryable
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills up while writing, no file of that name appears."""
    real = Path.open

    def full(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return real(Path("/dev/full"), mode) if self.suffix == ".part" else real(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DeliveryError, match="No space left"):
        FileChannel("files", tmp_path).deliver(out("a"), 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("id_", ["../../etc/passwd", "a/b\\c:d", "..", "x" * 300, "道路", "con"])
def test_file_names_cannot_leave_the_folder(tmp_path: Path, id_: str) -> None:
    """Whatever the id, the file lies in the folder; different ids give different files."""
    channel = FileChannel("files", tmp_path / "in")
    channel.deliver(out(id_), 1)
    channel.deliver(out(id_ + "!"), 1)
    assert len(list((tmp_path / "in").iterdir())) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_recording_keeps_everything_once(tmp_path: Path) -> None:
    """A drill can show afterwards what would have gone out."""
    channel = RecordingChannel("sms", tmp_path / "sms")
    assert channel.deliver(out("a"), 1).reference == "recorded-1"
    assert channel.deliver(out("b"), 1).reference == "recorded-2"
    assert channel.deliver(out("a"), 2).reference == "recorded-1"
    assert [m.id for m in channel.messages] == ["a", "b"]
    assert len(list((tmp_path / "sms").iterdir())) == 2


def test_null_takes_everything() -> None:
    """The null channel acknowledges and keeps nothing."""
    assert NullChannel().deliver(out("a"), 1).acknowledged


def test_a_drill_cannot_hold_a_real_channel(tmp_path: Path) -> None:
    """The drill registry makes its own recorders from names; nothing else can be put in, then or later."""
    real: Any = ScriptedChannel("hook")
    with pytest.raises(InputError):
        DrillChannels([real])
    drill: Any = DrillChannels(["hook", "files"], tmp_path)
    assert all(type(c) is RecordingChannel for c in drill.channels.values())
    with pytest.raises(TypeError):
        drill.channels["hook"] = real
    for name in ("channels", "_channels", "mode"):
        with pytest.raises(AttributeError):
            setattr(drill, name, {"hook": real})
    with pytest.raises(AttributeError):
        del drill._channels
    with pytest.raises(InputError):
        DrillChannels(["hook", "hook"])
    with pytest.raises(InputError):
        LiveChannels([real, real])


def test_a_drill_loads_nothing_that_could_send() -> None:
    """In a process that runs a drill, not even the code of a sending channel or an HTTP client is loaded."""
    code = (
        "import sys\n"
        "from clearway.channels.outbox import Outbox\n"
        "from clearway.channels.registry import DrillChannels\n"
        "DrillChannels(['hook'])\n"
        "ours = ['clearway.channels.webhook', 'clearway.channels.file']\n"
        "print([n for n in (*ours, 'urllib.request', 'http.client', 'ssl') if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_channel_is_a_channel(tmp_path: Path) -> None:
    """All four fit the protocol and go through an outbox."""
    with receiver() as server:
        channels: list[Channel] = [
            FileChannel("files", tmp_path / "notices"),
            RecordingChannel("recorder"),
            NullChannel(),
            WebhookChannel("hook", server.url, SECRET),
        ]
        box = Outbox(tmp_path / "box.sqlite", clock=ManualClock(T0), policy=QUICK)
        box.enqueue(out("a"), [c.name for c in channels])
        assert box.deliver(LiveChannels(channels)) == 4
    assert {s.state for s in box.status()} == {State.ACKNOWLEDGED}
    box.close()


def wait_for(gate: threading.Event) -> None:
    """Wait until the gate opens."""
    assert gate.wait(20)


def test_worker_delivers_and_stops(tmp_path: Path) -> None:
    """The background worker empties the outbox; a slow channel delays nobody; stopping waits for the end."""
    gate, arrived = threading.Event(), threading.Event()
    slow = ScriptedChannel("slow", hook=lambda m: wait_for(gate))
    fast = ScriptedChannel("fast", hook=lambda m: arrived.set() if m.id == "b" else None)
    box = Outbox(tmp_path / "box.sqlite", clock=ManualClock(T0), policy=QUICK)
    worker = DeliveryWorker(box, LiveChannels([slow, fast]), poll_s=0.02)
    worker.start()
    box.enqueue_all([(out("a"), ("slow", "fast")), (out("b"), ("slow", "fast"))])
    worker.wake()
    assert arrived.wait(20)
    gate.set()
    for _ in range(1000):
        if set(box.counts()["slow"]) == {"acknowledged"}:
            break
        time.sleep(0.01)
    worker.stop()
    assert box.counts() == {"fast": {"acknowledged": 2}, "slow": {"acknowledged": 2}}
    assert worker.trouble == {}
    assert [m for m, _ in slow.seen] == ["a", "b"]
    box.close()


def test_worker_tells_of_trouble(tmp_path: Path) -> None:
    """If the outbox itself fails, the worker says so and goes on trying."""
    box = Outbox(tmp_path / "box.sqlite", clock=ManualClock(T0), policy=QUICK)
    worker = DeliveryWorker(box, LiveChannels([ScriptedChannel("one")]), poll_s=0.01)
    box.close()
    worker.start()
    for _ in range(1000):
        if worker.trouble:
            break
        time.sleep(0.01)
    worker.stop()
    assert "ProgrammingError" in worker.trouble["one"]


@pytest.mark.skipif(os.name != "posix", reason="folders can be synced on POSIX only")
def test_file_channel_syncs_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the bytes and the name are on the disk before the receipt."""
    synced: list[int] = []
    real = os.fsync

    def counting(handle: int) -> None:
        synced.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", counting)
    FileChannel("files", tmp_path).deliver(out("a"), 1)
    assert len(synced) == 2
