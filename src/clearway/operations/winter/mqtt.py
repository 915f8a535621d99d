"""Truck messages over MQTT (extra ``mqtt``): ``<prefix>/<unit>`` in, lists out as retained messages.

Late, doubled and broken messages cost nothing but a line in ``Control.refused``.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterable, Callable
from typing import Any, Final, Protocol

from clearway.kernel.errors import InputError, SystemFailureError
from clearway.operations.winter.live import Control, parse

PREFIX: Final = "clearway/winter"
REFUSED_KEPT: Final = 200


class Client(Protocol):
    """What is used of an MQTT client (``aiomqtt.Client``)."""

    messages: AsyncIterable[Any]

    async def subscribe(self, topic: str, qos: int = 0) -> Any:
        """Ask for messages."""
        ...

    async def publish(self, topic: str, payload: Any = None, qos: int = 0, retain: bool = False) -> Any:
        """Send one."""
        ...


def take_in(control: Control, topic: str, payload: bytes, prefix: str = PREFIX) -> int:
    """Apply one MQTT message; returns how many truck messages counted. The unit must match the topic."""
    unit = topic.removeprefix(f"{prefix}/trucks/")
    taken = 0
    try:
        for message in parse(payload):
            if message.unit != unit:
                raise InputError(f"message of {message.unit} on the topic of {unit}", where=topic)
            control.take(message)
            taken += 1
    except InputError as error:
        control.refused.append(f"{topic}: {error}")
        del control.refused[:-REFUSED_KEPT]
    return taken


async def listen(
    client: Client, control: Callable[[], Control], *, prefix: str = PREFIX, stop_after: int = 0
) -> int:
    """Take truck messages in until the client ends, or ``stop_after`` messages; returns how many came.

    ``control`` is asked for each message, since a new plan brings a new control.
    """
    await client.subscribe(f"{prefix}/trucks/+", qos=1)
    count = 0
    async for message in client.messages:
        payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
        take_in(control(), str(message.topic), payload, prefix)
        count += 1
        if stop_after and count >= stop_after:
            break
    return count


async def publish_lists(client: Client, turns: dict[str, dict[str, Any]], *, prefix: str = PREFIX) -> None:
    """Send each crew its next turns, retained, so that a truck that comes back has them at once."""
    for unit, data in turns.items():
        body = json.dumps(data, ensure_ascii=False)
        await client.publish(f"{prefix}/lists/{unit}", body, qos=1, retain=True)


def broker_errors() -> tuple[type[BaseException], ...]:
    """What a client raises when there is no broker, or none any more.

    Raises:
        SystemFailureError: the extra is not installed.
    """
    try:
        from aiomqtt import MqttError
    except ImportError as error:
        raise SystemFailureError("MQTT needs the extra clearway[mqtt]", where="aiomqtt") from error
    return (MqttError, OSError)


def connect(host: str, port: int = 1883, *, username: str = "", password: str = "") -> Any:
    """A client to be used with ``async with``; ``password`` names the environment variable that holds it.

    Raises:
        SystemFailureError: the extra is not installed.
    """
    try:
        from aiomqtt import Client as Aiomqtt
    except ImportError as error:
        raise SystemFailureError("MQTT needs the extra clearway[mqtt]", where="aiomqtt") from error
    secret = os.environ.get(password) if password else None
    return Aiomqtt(host, port=port, username=username or None, password=secret)
