"""What a session stands on, all of it picklable: it is handed once to whoever runs cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearway.doctrine.model import Doctrine
from clearway.network.model import Network
from clearway.picture.desk import Desk
from clearway.picture.picture import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What does not change during a session."""

    network: Network
    columns: Columns
    cell_names: tuple[str, ...]
    area: str
    doctrine: Doctrine
    desks: Sequence[Desk]
