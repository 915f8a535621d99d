"""Posts each message over HTTPS, signed so that the receiver knows who sent it.

Header ``X-Clearway-Signature: t=<unix seconds>,v1=<hex>`` with HMAC-SHA-256 of ``<t>.<body>``;
``Idempotency-Key`` is the message id, so that a repeated delivery can be told. Redirects are not followed.
"""

from __future__ import annotations

import hmac
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from hashlib import sha256
from typing import IO, Any, Final
from urllib.parse import urlsplit

from clearway.channels.model import DeliveryError, OutMessage, Receipt, check_name
from clearway.kernel.clock import Clock, SystemClock, epoch_s, iso
from clearway.kernel.errors import InputError

SIGNATURE_HEADER: Final = "X-Clearway-Signature"
MIN_SECRET_BYTES: Final = 16
MAX_ANSWER_BYTES: Final = 4096
_RETRYABLE: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, not an order."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow nothing."""
        return


class WebhookChannel:
    """One receiver.

    Args:
        name: of the channel.
        url: https address; http only on loopback.
        secret: shared with the receiver, at least 16 bytes.
        timeout_s: for connecting and for each read.
        await_receipt: an answer 2xx only means taken; the receipt comes later by
            :meth:`clearway.channels.outbox.Outbox.acknowledge`.
        ca_file: certificates that vouch for the receiver, instead of the system's.
        clock: for the signature.

    Raises:
        InputError: an address or secret that cannot be used.
    """

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes,
        *,
        timeout_s: float = 10.0,
        await_receipt: bool = False,
        ca_file: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._name, self._url, self._secret = check_name(name), _checked(url), secret
        if len(secret) < MIN_SECRET_BYTES:
            raise InputError(f"the secret needs at least {MIN_SECRET_BYTES} bytes", where=f"channel {name}")
        self._timeout_s, self._await_receipt = timeout_s, await_receipt
        self._clock = clock or SystemClock()
        tls = ssl.create_default_context(cafile=ca_file)
        self._open: Callable[..., Any] = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls), _NoRedirect()
        ).open

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self._name

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Post the message.

        Raises:
            DeliveryError: no connection, no answer, or an answer that is not 2xx.
        """
        request = urllib.request.Request(
            self._url, data=message.body, method="POST", headers=self._headers(message, attempt)
        )
        try:
            with self._open(request, timeout=self._timeout_s) as answer:
                text = answer.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
                reference = answer.headers.get("X-Receipt-Id") or ""
                return Receipt(not self._await_receipt, reference, f"{answer.status} {text[:200]}".strip())
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (urllib.error.URLError, TimeoutError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise DeliveryError(f"no answer from {urlsplit(self._url).netloc}: {reason}") from None

    def _headers(self, message: OutMessage, attempt: int) -> dict[str, str]:
        return {
            "Content-Type": message.media_type,
            "User-Agent": "Clearway",
            "Idempotency-Key": message.id,
            "X-Clearway-Attempt": str(attempt),
            "X-Clearway-Sent": iso(message.sent),
            SIGNATURE_HEADER: signature(self._secret, message.body, epoch_s(self._clock.now())),
        }


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """Value of the signature header for a body sent at a Unix second."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def signature_is_valid(secret: bytes, body: bytes, header: str, now_s: int, tolerance_s: int = 300) -> bool:
    """What a receiver checks: made with the secret, and not older than the tolerance."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now_s - int(stamp)) > tolerance_s:
        return False
    expected = signature(secret, body, int(stamp)).rpartition("=")[2]
    return hmac.compare_digest(expected.encode(), parts.get("v1", "").encode())


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port_ok = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InputError(f"{url!r} is not an address: {error}", where="webhook") from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not host or not port_ok or not secure or parts.username or parts.password:
        hint = "https, without user name or password; http only on loopback"
        raise InputError(f"{url!r} cannot be posted to", where="webhook", hint=hint)
    return url


def _refusal(error: urllib.error.HTTPError) -> DeliveryError:
    headers: Message = error.headers
    wait = headers.get("Retry-After", "") if headers is not None else ""
    retry_after_s = float(wait) if wait.isascii() and wait.isdigit() else 0.0
    text = error.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")[:200]
    what = f"answered {error.code} {error.reason}: {text}".rstrip(": ")
    return DeliveryError(what, retryable=error.code in _RETRYABLE, retry_after_s=retry_after_s)
