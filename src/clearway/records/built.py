"""By what the projections of a store were made: the fold of a build, and the declarations.

Rows and timers follow from the chain, but *how* they follow may change from build to build. The store notes
it, so that projections of an older build are told apart from projections somebody tampered with.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from clearway.records.fold import FOLD_VERSION
from clearway.records.kinds import Kinds
from clearway.records.store import WriterConnection


class Built(msgspec.Struct, frozen=True):
    """What made the projections. ``fold`` 1: a build that did not note it."""

    hash: str
    versions: Mapping[str, int]
    fold: int = 1

    def same_rows(self, other: Built) -> bool:
        """Whether rows made by both are the same; kinds that only one of them knows have none."""
        both = self.versions.keys() & other.versions.keys()
        return self.fold == other.fold and all(self.versions[n] == other.versions[n] for n in both)


def built_by_us(kinds: Kinds) -> Built:
    """What this build would note."""
    return Built(kinds.hash, {kind.name: kind.version for kind in kinds.values()}, FOLD_VERSION)


def built_by(connection: WriterConnection) -> Built | None:
    """What the store notes; None when it notes nothing, or nothing that can be read."""
    found = connection.rows("SELECT value FROM journal_meta WHERE name = 'kinds'")
    try:
        return msgspec.json.decode(str(found[0][0]).encode(), type=Built) if found else None
    except msgspec.MsgspecError:
        return None


def is_new(connection: WriterConnection) -> bool:
    """Whether nothing was ever noted: a store without projections."""
    return not connection.rows("SELECT 1 FROM journal_meta WHERE name = 'kinds'")


def note_built(connection: WriterConnection, kinds: Kinds) -> None:
    """Note that this build made the projections, in the caller's transaction."""
    value = msgspec.json.encode(built_by_us(kinds), order="sorted").decode()
    connection.run("DELETE FROM journal_meta WHERE name = 'kinds'")
    connection.run("INSERT INTO journal_meta (name, value) VALUES ('kinds', ?)", (value,))
