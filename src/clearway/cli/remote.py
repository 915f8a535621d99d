"""Talking to a running server, which alone may write its journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clearway.kernel.errors import InputError
from clearway.records import Command


@dataclass(frozen=True, slots=True)
class Remote:
    """A server's address and the access token for it."""

    server: str
    token: str

    def submit(self, command: Command) -> dict[str, Any]:
        """Give a command.

        Raises:
            InputError: no token, an unsafe address, or what the server refused.
        """
        import json

        body: dict[str, Any] = {
            "kind": command.kind,
            "verb": command.verb,
            "key": command.key,
            "data": dict(command.data),
            "reason": command.reason,
        }
        if command.at is not None:
            body["at"] = command.at.isoformat()
        return self.post("/api/v1/commands", json.dumps(body).encode(), "application/json")

    def post(self, path: str, body: bytes, media_type: str) -> dict[str, Any]:
        """Post a body and return the JSON answer.

        Raises:
            InputError: no token, an address that is neither https nor this machine, or what the server
                refused.
        """
        import json
        import urllib.error
        import urllib.parse
        import urllib.request

        address = urllib.parse.urlsplit(self.server)
        local = address.hostname in ("127.0.0.1", "localhost", "::1")
        if address.scheme != "https" and not (address.scheme == "http" and local):
            raise InputError("a token goes over https only", where="--server")
        if not self.token:
            raise InputError("the server needs a token", where="--token", hint="Set CLEARWAY_TOKEN")
        request = urllib.request.Request(
            f"{self.server.rstrip('/')}{path}",
            data=body,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": media_type},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                done: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            told = json.loads(error.read() or b"{}").get("error", {})
            raise InputError(
                str(told.get("what") or error.reason),
                where=str(told.get("where") or self.server),
                hint=str(told.get("hint") or ""),
            ) from error
        except (urllib.error.URLError, TimeoutError) as error:
            raise InputError(f"no answer: {error}", where=self.server) from error
        return done
