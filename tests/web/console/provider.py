"""A small OpenID provider on loopback, for tests: one user, one key, and every way to answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "clearway", "not so secret : in a test"


class Provider:
    """Runs until the block ends; ``claims`` and ``change`` say what its proof holds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.claims: dict[str, Any] = {"sub": "user-7", "preferred_username": "officer"}
        self.change: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.published: list[Any] = [self.key]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.named = self.issuer

    def __enter__(self) -> Provider:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def signed(self, claims: dict[str, Any]) -> str:
        """The usual signature."""
        return str(jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key))

    def signed_by_secret(self, claims: dict[str, Any]) -> str:
        """HS256 with the public key as secret: what a confused client would accept."""
        public = json.dumps(self.key.as_dict(private=False))
        return str(jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(public)))

    def unsigned(self, claims: dict[str, Any]) -> str:
        """``alg: none``."""
        parts = (json.dumps(part).encode() for part in ({"alg": "none", "kid": "one"}, claims))
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."

    def signed_by_other(self, claims: dict[str, Any]) -> str:
        """A good signature of a key that is not the provider's, under its name."""
        other = ECKey.generate_key("P-256", {"kid": "one"})
        return str(jwt.encode({"alg": "ES256", "kid": "one"}, claims, other))

    def rotated(self, claims: dict[str, Any]) -> str:
        """The provider has changed its key since it was last asked."""
        fresh = RSAKey.generate_key(2048, {"kid": "two"})
        self.published = [fresh]
        return str(jwt.encode({"alg": "RS256", "kid": "two"}, claims, fresh))

    def sign_in(self, address: str) -> str:
        """What the browser does there: the user agrees; returns where it is sent."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, fields: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint: code once, PKCE, client secret, redirect address."""
        asked = self.codes.pop(fields.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{urlencode({'': SECRET})[1:]}".encode()).decode()
        if asked is None or authorization != f"Basic {expected}":
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or fields["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = self.now()
        claims = {
            "iss": self.issuer, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
            **self.claims, **self.change,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return 200, {"id_token": self.sign(claims), "access_token": "x", "token_type": "Bearer"}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            base = provider.issuer
            if self.path == "/.well-known/openid-configuration":
                found: dict[str, Any] = {
                    "issuer": provider.named, "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token", "jwks_uri": f"{base}/keys",
                }  # fmt: skip
                self.give(200, found)
            elif self.path == "/keys":
                self.give(200, {"keys": [key.as_dict(private=False) for key in provider.published]})
            else:
                self.give(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            self.give(*provider.token(fields, self.headers.get("authorization", "")))

        def give(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
