"""Cycles in a process of their own, so that screens never stall: one warm worker, told what it needs.

The worker is begun anew from the interpreter (``spawn``: the same on Linux, macOS and Windows) and gets
roads, columns, doctrine and desks once. With each question it gets the picture and the state, without those
(a few megabytes), and answers with what the same functions would have answered here, to the byte. It keeps
nothing between questions: if it dies, the question fails as a stated :class:`SystemFailureError`, a new
worker begins at once, and the same question may be put again.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, NoReturn

from clearway.kernel.errors import ClearwayError, SystemFailureError
from clearway.operations.cycle import CycleRun, timed_cycle
from clearway.operations.ground import Ground
from clearway.operations.rerun import again
from clearway.operations.what_if import Change, WhatIf, what_if
from clearway.picture.desk import CycleResult, CycleState
from clearway.picture.picture import Picture

LONGEST_S: Final = 600.0
"""A question that takes longer than this is given up and its worker ended; the first one may compile."""
NICENESS: Final = 5
"""How far the worker steps back behind the screens on systems that know niceness."""
ENDS_WITHIN_S: Final = 5.0
WHERE: Final = "cycle worker"


class CycleProcess:
    """A warm worker for one ground. Thread safe: questions are answered one after the other.

    Args:
        ground: what does not change; must be picklable, as the house's own desks are.
        longest_s: seconds after which a question is given up.
    """

    def __init__(self, ground: Ground, *, longest_s: float = LONGEST_S) -> None:
        self._ground, self._longest_s = ground, longest_s
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._line: Connection | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None when there is none."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin the worker, so that it is warm when the first question comes.

        Raises:
            SystemFailureError: the system gives no process.
        """
        with self._lock:
            self._begin()

    def cycle(self, picture: Picture, state: CycleState) -> CycleRun:
        """:func:`timed_cycle`, apart.

        Raises:
            DeskError: a desk failed.
            SystemFailureError: the worker was lost or took too long; it begins anew.
        """
        return _frozen_run(self._ask("cycle", picture, state))

    def again(self, picture: Picture, before: Picture, base: CycleResult) -> CycleRun:
        """:func:`clearway.operations.rerun.again`, apart; raises as :meth:`cycle` does."""
        return _frozen_run(self._ask("again", picture, before, base))

    def what_if(self, picture: Picture, before: CycleState, change: Change, base: CycleResult) -> WhatIf:
        """:func:`clearway.operations.what_if.what_if`, apart.

        Raises:
            InputError: the change cannot be made in this picture.
            SystemFailureError: as :meth:`cycle`.
        """
        found: WhatIf = self._ask("what_if", picture, before, change, base)
        _frozen(found.result)
        return found

    def change(self, ground: Ground) -> None:
        """From the next question on another ground (new rules, say); a question that runs is finished first.

        Raises:
            SystemFailureError: the system gives no process.
        """
        with self._lock:
            if self._closed:
                return
            running, self._ground = self._process is not None, ground
            self._end()
            if running:
                self._begin()

    def close(self) -> None:
        """End the worker; a question that runs is finished first."""
        with self._lock:
            self._closed = True
            self._end()

    def _ask(self, name: str, *arguments: Any) -> Any:
        question = _packed((name, arguments), self._ground)
        with self._lock:
            if self._closed:
                raise SystemFailureError("the worker for cycles is closed", where=WHERE)
            self._begin()
            answer = self._exchange(question)
        good, value = _unpacked(answer, self._ground)
        if not good:
            raise value
        return value

    def _exchange(self, question: bytes) -> bytes:
        line = self._line
        assert line is not None
        try:
            line.send_bytes(question)
            if not line.poll(self._longest_s):
                self._lost(f"gave no answer within {self._longest_s:g} s and was ended")
            return line.recv_bytes()
        except (EOFError, OSError):
            self._lost("ended in the middle of its work")

    def _lost(self, what: str) -> NoReturn:
        process = self._process
        self._end(at_once=True)
        code = process.exitcode if process is not None else None
        told = f" (exit code {code})" if code is not None else ""
        self._begin()
        raise SystemFailureError(
            f"the worker for cycles {what}{told}",
            where=WHERE,
            hint="Nothing is lost: a new worker has begun, and the cycle is tried again",
        )

    def _begin(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        self._end(at_once=True)
        context = multiprocessing.get_context("spawn")
        mine, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._ground), name="clearway-cycles", daemon=True
        )
        try:
            process.start()
        except OSError as error:
            mine.close()
            raise SystemFailureError(f"no process for cycles: {error}", where=WHERE) from error
        finally:
            theirs.close()
        self._process, self._line = process, mine

    def _end(self, *, at_once: bool = False) -> None:
        process, line, self._process, self._line = self._process, self._line, None, None
        if line is not None:
            line.close()
        if process is None:
            return
        if not at_once:
            process.join(ENDS_WITHIN_S)
        if process.is_alive():
            process.kill()
        process.join()


def _work(line: Connection, ground: Ground) -> None:
    """The worker: answers until the other end is gone. Ctrl-C is the main process's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    while True:
        try:
            question = line.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _answer(question, ground)
        try:
            line.send_bytes(answer)
        except OSError:
            return


def _answer(question: bytes, ground: Ground) -> bytes:
    try:
        name, arguments = _unpacked(question, ground)
        return _packed((True, _DOES[name](ground, *arguments)), ground)
    except ClearwayError as error:
        return _packed((False, error), ground)
    except Exception as error:  # noqa: BLE001 - boundary: whatever happened, the asker must be told
        return _packed((False, SystemFailureError(f"{type(error).__name__}: {error}", where=WHERE)), ground)


def _cycle(ground: Ground, picture: Picture, state: CycleState) -> CycleRun:
    return timed_cycle(picture, state, ground.doctrine, ground.desks)


def _again(ground: Ground, picture: Picture, before: Picture, base: CycleResult) -> CycleRun:
    return again(picture, before, base, ground.doctrine, ground.desks)


def _what_if(
    ground: Ground, picture: Picture, before: CycleState, change: Change, base: CycleResult
) -> WhatIf:
    return what_if(picture, before, ground.doctrine, ground.desks, change, base)


_DOES: Final[Mapping[str, Callable[..., Any]]] = {"cycle": _cycle, "again": _again, "what_if": _what_if}
_SHARED: Final = ("network", "columns", "doctrine")
"""Parts of the ground that both sides hold; they travel as their names."""


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, ground: Ground) -> None:
        super().__init__(file, protocol=5)
        self._names = {id(getattr(ground, name)): name for name in _SHARED}

    def persistent_id(self, value: Any) -> str | None:
        """The name of a part that both sides hold."""
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, ground: Ground) -> None:
        super().__init__(file)
        self._ground = ground

    def persistent_load(self, name: Any) -> Any:
        """The part of that name on this side."""
        return getattr(self._ground, name)


def _packed(value: Any, ground: Ground) -> bytes:
    file = io.BytesIO()
    _Pickler(file, ground).dump(value)
    return file.getvalue()


def _unpacked(data: bytes, ground: Ground) -> Any:
    return _Unpickler(io.BytesIO(data), ground).load()


def _frozen_run(run: CycleRun) -> CycleRun:
    return _frozen(run[0]), run[1]


def _frozen(result: CycleResult) -> CycleResult:
    """Arrays of fields are read only here as they were there."""
    for field in result.fields.values():
        field.values.flags.writeable = False
    return result
