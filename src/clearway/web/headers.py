"""Security headers that every answer carries, and the number by which a request is found again."""

from __future__ import annotations

import secrets
from typing import Final

from starlette.types import Scope

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
}
TLS_ONLY: Final = "max-age=31536000"
"""Strict-Transport-Security, sent over TLS only."""
REQUEST_ID: Final = "x-request-id"


def request_id(scope: Scope) -> str:
    """The number of a request; made when first asked for, the same ever after."""
    state = scope.setdefault("state", {})
    found: str = state.setdefault("request_id", secrets.token_hex(8))
    return found


def all_headers(scope: Scope) -> dict[str, str]:
    """Headers for an answer to a request."""
    found = {**SECURITY, "X-Request-Id": request_id(scope)}
    if scope.get("scheme") == "https":
        found["Strict-Transport-Security"] = TLS_ONLY
    return found
