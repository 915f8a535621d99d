"""Truck messages over MQTT into a running service: a thread that comes back after a lost broker."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clearway.kernel.errors import ClearwayError, InputError
from clearway.operations.winter.mqtt import PREFIX, broker_errors, connect
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.sheets import coming_lines

log = logging.getLogger("clearway.winter")
AGAIN_S: Final = 5.0
LISTS_EVERY_S: Final = 20.0
TURNS: Final = 8
PORT: Final = 1883


@dataclass(eq=False)
class Gateway:
    """Listens on ``<prefix>/trucks/<unit>`` and keeps ``<prefix>/lists/<unit>`` retained.

    The broker's accounts decide who may write to which topic; a message that names another unit than its
    topic does not count.
    """

    service: WinterService
    host: str
    port: int = PORT
    prefix: str = PREFIX
    username: str = ""
    password: str = ""
    heard: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _task: asyncio.Task[None] | None = None
    _thread: threading.Thread | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _sent: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, service: WinterService, settings: Mapping[str, Any]) -> Gateway | None:
        """The gateway that ``[mqtt]`` in clearway.toml asks for; None without one.

        Raises:
            InputError: no host, or a port that is none.
            SystemFailureError: the extra is not installed.
        """
        given = settings.get("mqtt")
        if not given:
            return None
        host, port = given.get("host"), given.get("port", PORT)
        if not isinstance(host, str) or not host:
            raise InputError("needs the name of a broker", where="clearway.toml: mqtt.host")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise InputError("is no port", where="clearway.toml: mqtt.port")
        broker_errors()
        secret = str(given.get("password_env", ""))
        return cls(
            service, host, port, str(given.get("prefix", PREFIX)), str(given.get("username", "")), secret
        )

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._thread = threading.Thread(target=self._work, name="winter-mqtt", daemon=True)
        self._thread.start()
        self._ready.wait(5.0)

    def _work(self) -> None:
        asyncio.run(self._run())

    def stop(self) -> None:
        """End; what was heard stays."""
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not None:
            self._thread.join(10.0)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._for_ever())
        self._ready.set()
        try:
            await self._task
        except asyncio.CancelledError:
            return

    async def _for_ever(self) -> None:
        lost = False
        while True:
            try:
                async with self._client() as client:
                    if lost:
                        log.warning("mqtt: %s:%d is back", self.host, self.port)
                    lost = False
                    await self._talk(client)
            except asyncio.CancelledError:
                raise
            except broker_errors() as error:
                if not lost:
                    log.error("mqtt: %s:%d: %s", self.host, self.port, error)
                lost = True
                await asyncio.sleep(AGAIN_S)

    def _client(self) -> Any:
        return connect(self.host, self.port, username=self.username, password=self.password)

    async def _talk(self, client: Any) -> None:
        await client.subscribe(f"{self.prefix}/trucks/+", qos=1)
        self._sent.clear()
        telling = asyncio.create_task(self._tell(client))
        try:
            async for message in client.messages:
                payload = message.payload
                body = payload if isinstance(payload, bytes) else str(payload).encode()
                unit = str(message.topic).removeprefix(f"{self.prefix}/trucks/")
                await asyncio.to_thread(self._hear, unit, body)
        finally:
            telling.cancel()

    def _hear(self, unit: str, body: bytes) -> None:
        self.heard += 1
        try:
            self.service.receive(body, units=unit)
        except ClearwayError as error:
            self.service.refused.append(f"{unit}: {error}")

    async def _tell(self, client: Any) -> None:
        """Keep each truck's next turns on the broker, sending only what has changed."""
        while True:
            for unit, body in (await asyncio.to_thread(self.turns)).items():
                if self._sent.get(unit) != body:
                    await client.publish(f"{self.prefix}/lists/{unit}", body, qos=1, retain=True)
                    self._sent[unit] = body
            await asyncio.sleep(LISTS_EVERY_S)

    def turns(self) -> dict[str, str]:
        """The next turns of every truck as JSON; an empty list for one that has none left."""
        service = self.service
        with service.lock:
            now = service.journal.clock.now()
            service.look(now)
            running = service.running
            if running is None:
                return {}
            site, progress = running.control.site, running.progress
            return {
                crew.id: json.dumps(
                    {"unit": crew.id, "lines": coming_lines(site, progress, number, now, count=TURNS)},
                    ensure_ascii=False,
                )
                for number, crew in enumerate(progress.plan.problem.crews)
            }
