"""Which channels exist. A drill has a registry of its own, and that one cannot hold a real channel.

:class:`DrillChannels` takes names, never channels, and makes a recording one for each. There is no way to put
another object in, so a drill that goes wrong has nothing to send with. The Hawaii false alert of 2018 went
out because test and real alerts shared one path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn, TypeVar, final

from clearway.channels.model import DRILL, LIVE, Channel, check_name
from clearway.channels.recording import RecordingChannel
from clearway.kernel.errors import InputError

C = TypeVar("C", bound=Channel)


def _by_name(channels: Iterable[C]) -> Mapping[str, C]:
    found: dict[str, C] = {}
    for channel in channels:
        if check_name(channel.name) in found:
            raise InputError(f"two channels are called {channel.name!r}", where="channels")
        found[channel.name] = channel
    return MappingProxyType(found)


class _Sealed:
    """Cannot be changed after it was made."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")


@final
class LiveChannels(_Sealed):
    """The real channels of a deployment."""

    __slots__ = ("_channels",)
    mode: Final = LIVE
    _channels: Mapping[str, Channel]

    def __init__(self, channels: Iterable[Channel]) -> None:
        object.__setattr__(self, "_channels", _by_name(channels))

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Channels by name, read only."""
        return self._channels


@final
class DrillChannels(_Sealed):
    """Stand-ins for a drill: each name gets a recording channel, made here.

    Args:
        names: of the channels that would be used for real.
        folder: where to keep what would have gone out; a folder per channel.

    Raises:
        InputError: something other than names was given.
    """

    __slots__ = ("_channels",)
    mode: Final = DRILL
    _channels: Mapping[str, RecordingChannel]

    def __init__(self, names: Iterable[str], folder: Path | None = None) -> None:
        checked = [check_name(name) for name in names]
        made = (RecordingChannel(name, folder / name if folder else None) for name in checked)
        object.__setattr__(self, "_channels", _by_name(made))

    @property
    def channels(self) -> Mapping[str, RecordingChannel]:
        """Recording channels by name, read only."""
        return self._channels


Channels = LiveChannels | DrillChannels
