"""Sign-in at another house: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), state and nonce.

The provider says who somebody is; roles stay here. A subject of the provider is tied to an account once, by
its one-time link or from a session of the account; names that people may change there tie nothing unless
the installation says that logins there are its own (``trust_login``). A sign-in counts as a second factor
only where the provider's ``amr`` or ``acr`` says so in a way the installation has listed.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from clearway.kernel.clock import Clock, epoch_s
from clearway.kernel.errors import InputError, SystemFailureError, UnauthenticatedError
from clearway.kernel.language import Text, both

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384")
"""Signatures accepted: asymmetric only, so that nobody who knows the client's secret can sign."""
LEEWAY_S: Final = 60
_KEPT_S, _AGAIN_S, _TIMEOUT_S, _MOST_BYTES = 3_600, 30, 10.0, 1_000_000
FLOW_S: Final = 600
"""How long a sign-in at the provider may take."""
_WRONG = Text("the sign-in service's answer was not accepted", "统一认证的应答未被接受")
_LABEL: Final = Text("City sign-in", "统一身份认证")
_AGAIN = Text("Start the sign-in again", "请重新登录")


@dataclass(frozen=True, slots=True)
class Settings:
    """The table ``[oidc]`` of the installation.

    Attributes:
        issuer: address of the provider, as it names itself.
        client_id: name of this service there.
        secret: its secret there, empty for a public client.
        label: words on the button.
        scopes: asked for besides ``openid``.
        trust_login: claim that equals the login of an account here; empty: subjects are tied by link only.
        amr, acr: values that prove a second factor; none listed: no sign-in there proves one.
    """

    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    label: Text = _LABEL
    scopes: tuple[str, ...] = ("profile",)
    trust_login: str = ""
    amr: frozenset[str] = frozenset()
    acr: frozenset[str] = frozenset()

    @classmethod
    def read(cls, table: Mapping[str, Any], where: str = "clearway.toml: [oidc]") -> Settings:
        """From the settings of an installation; the secret comes from the environment.

        Raises:
            InputError: something needed is missing, unknown, or not over TLS.
        """
        known = {"issuer", "client_id", "client_secret_env", "name", "scopes", "trust_login", "amr", "acr"}
        unknown = sorted(set(table) - known)
        if unknown:
            raise InputError(
                f"unknown: {', '.join(unknown)}", where=where, hint=f"Known: {', '.join(sorted(known))}"
            )
        issuer, client = str(table.get("issuer", "")), str(table.get("client_id", ""))
        if not issuer or not client:
            raise InputError("issuer and client_id are needed", where=where)
        _only_tls(issuer, where)
        variable = str(table.get("client_secret_env", ""))
        if variable and not os.environ.get(variable):
            raise InputError(f"the environment variable {variable} is not set", where=where)
        name = table.get("name")
        return cls(
            issuer,
            client,
            os.environ.get(variable, "") if variable else "",
            Text.of(name) if name else _LABEL,
            tuple(str(s) for s in table.get("scopes", ("profile",))),
            str(table.get("trust_login", "")),
            frozenset(str(v) for v in table.get("amr", ())),
            frozenset(str(v) for v in table.get("acr", ())),
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way; kept by the browser that began it."""

    state: str
    nonce: str
    verifier: str
    begun_s: int
    next: str = "/console"
    invite: str = ""
    account: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain form for the cookie."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Proven:
    """What the provider vouches for."""

    issuer: str
    subject: str
    login: str
    strong: bool


class Provider:
    """One identity provider. Thread safe; asks it only when needed and never follows it elsewhere."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self._clock = settings, clock
        self._lock = threading.Lock()
        self._found: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(
        self, redirect: str, *, next: str = "/console", invite: str = "", account: str = ""
    ) -> tuple[str, Flow]:
        """Where to send the browser, and what it must bring back.

        Args:
            redirect: address of the callback here, as registered there.
            next: page to go to afterwards.
            invite: one-time link whose account is to be tied to the subject.
            account: account (signed in) that is to be tied to the subject.

        Raises:
            SystemFailureError: the provider cannot be reached or says nonsense.
        """
        flow = Flow(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48),
            epoch_s(self._clock.now()), next, invite, account,
        )  # fmt: skip
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(("openid", *self.settings.scopes)),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        if self.settings.acr:
            asked["acr_values"] = " ".join(sorted(self.settings.acr))
        where = self._endpoint("authorization_endpoint")
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", flow

    def finish(self, flow: Flow, answer: Mapping[str, str], redirect: str) -> Proven:
        """Check what the browser brought back and fetch the proof.

        Raises:
            UnauthenticatedError: the answer belongs to another browser, is late, or its proof does not hold.
            SystemFailureError: the provider cannot be reached.
        """
        if not secrets.compare_digest(flow.state.encode(), answer.get("state", "").encode()):
            raise _wrong("state")
        if not 0 <= epoch_s(self._clock.now()) - flow.begun_s <= FLOW_S:
            raise _wrong("time")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise _wrong("iss")
        if answer.get("error") or not answer.get("code"):
            raise _wrong(f"error {answer.get('error', '')[:60]!r}")
        fields = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": redirect,
            "code_verifier": flow.verifier,
            "client_id": self.settings.client_id,
        }
        told = self._ask(self._endpoint("token_endpoint"), fields)
        return self._proven(self._claims(str(told.get("id_token", "")), flow))

    def _proven(self, claims: Mapping[str, Any]) -> Proven:
        amr = claims.get("amr") or ()
        methods = {str(m) for m in amr} if isinstance(amr, list) else {str(amr)} if amr else set()
        strong = bool(methods & self.settings.amr) or str(claims.get("acr", "")) in self.settings.acr
        login = ""
        if self.settings.trust_login and not (
            self.settings.trust_login == "email" and claims.get("email_verified") is not True
        ):
            login = str(claims.get(self.settings.trust_login, ""))
        return Proven(self.settings.issuer, str(claims["sub"]), login, strong)

    def _claims(self, token: str, flow: Flow) -> dict[str, Any]:
        """Claims of an ID token (OpenID Connect Core, section 3.1.3.7)."""
        try:
            decoded = self._decode(token)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _wrong(f"signature ({type(error).__name__})") from error
        claims, now = decoded, epoch_s(self._clock.now())
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        wrong = [
            name
            for name, good in (
                ("iss", claims.get("iss") == self.settings.issuer),
                ("aud", self.settings.client_id in audiences),
                ("azp", claims.get("azp", self.settings.client_id) == self.settings.client_id),
                ("azp", len(audiences) == 1 or "azp" in claims),
                ("exp", _number(claims.get("exp")) > now - LEEWAY_S),
                ("iat", now - FLOW_S - LEEWAY_S <= _number(claims.get("iat")) <= now + LEEWAY_S),
                ("nonce", secrets.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode())),
                ("sub", isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255),
            )
            if not good
        ]
        if wrong:
            raise _wrong(", ".join(wrong))
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        keys = self._key_set()
        try:
            return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
        except (InvalidKeyIdError, ValueError):
            fresh = self._key_set(fresh=True)
            if fresh is keys:
                raise
            return dict(jwt.decode(token, fresh, algorithms=ALGORITHMS).claims)

    def _key_set(self, *, fresh: bool = False) -> KeySet:
        """Keys of the provider; asked for anew when one is unknown, at most twice a minute."""
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else float("inf")
            if self._keys and age < (_AGAIN_S if fresh else _KEPT_S):
                return self._keys[1]
            told = self._ask(self._endpoint("jwks_uri"))
            try:
                keys = KeySet.import_key_set(told)  # type: ignore[arg-type]  # checked by the library
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise _failed("its keys cannot be read") from error
            self._keys = (time.monotonic(), keys)
            return keys

    def _endpoint(self, name: str) -> str:
        found = self._found
        if found is None or time.monotonic() - found[0] > _KEPT_S:
            told = self._ask(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.settings.issuer:
                raise _failed("it names itself otherwise than the setting issuer")
            found = self._found = (time.monotonic(), told)
        where = str(found[1].get(name, ""))
        if not where:
            raise _failed(f"it has no {name}")
        _only_tls(where, name)
        return where

    def _ask(self, where: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if fields is not None and self.settings.secret:
            pair = f"{_quoted(self.settings.client_id)}:{_quoted(self.settings.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(where, body, headers)
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
                told = json.loads(answer.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            error.close()
            if fields is not None and error.code in (400, 401):
                raise _wrong("code") from error
            raise _failed(f"it answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise _failed(type(error).__name__) from error
        if not isinstance(told, dict):
            raise _failed("its answer is no JSON object")
        return told


class _Stay(urllib.request.HTTPRedirectHandler):
    """The provider's own addresses answer themselves; a redirect is an error."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Never."""


_OPENER = urllib.request.build_opener(_Stay)


def _only_tls(address: str, where: str) -> None:
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if parts.scheme != "https" and not (parts.scheme == "http" and near):
        raise InputError(f"{address!r} is not an https address", where=where)


def _quoted(text: str) -> str:
    return urlencode({"": text})[1:]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("-inf")


def _wrong(where: str) -> UnauthenticatedError:
    return UnauthenticatedError(_WRONG.en, where=where, hint=both(_AGAIN), words=_WRONG)


def _failed(why: str) -> SystemFailureError:
    words = Text(f"the sign-in service does not work: {why}", f"统一认证服务异常：{why}")
    hint = both(Text("Sign in with your password, or try again later", "请使用密码登录或稍后重试"))
    return SystemFailureError(words.en, hint=hint, words=words)
