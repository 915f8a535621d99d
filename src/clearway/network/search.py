"""Find a corridor by what a person types: Chinese, English, pinyin, initials or number."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from heapq import nsmallest

import numpy as np

from clearway.network.model import Corridor, Network
from clearway.network.naming import has_chinese, sound_key, syllables


@dataclass(frozen=True, slots=True)
class Match:
    """A corridor found by one of its words.

    ``rank``: 0 its own whole name, 1 the beginning of it or the whole name of one of its pieces, 2 the
    beginning of a piece's name, 3 anywhere.
    """

    corridor: int
    rank: int
    matched: str


def _fold(text: str) -> str:
    """Lower-case letters, digits and Chinese characters without accents, blanks or marks."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^0-9a-z一-鿿]", "", "".join(c for c in folded if not unicodedata.combining(c)))


def _initials(sound: tuple[str, ...]) -> str:
    return "".join(part[:1] for part in sound)


class CorridorSearch:
    """Name index over the corridors of one network; answers in a few milliseconds."""

    def __init__(self, network: Network) -> None:
        corridors = network.corridors
        by_row = [self._row_terms(network, row) for row in range(len(network.names))]
        # term -> [(corridor, 0 for its own name, 1 for the name of a piece)]
        self._owners: dict[str, list[tuple[int, int]]] = {}
        for index, corridor in enumerate(corridors):
            own = set(_corridor_terms(corridor)) - {""}
            rows = np.unique(np.asarray(network.name_index)[np.asarray(corridor.segments)])
            pieces = {t for row in rows[rows >= 0].tolist() for t in by_row[row]} - own - {""}
            for piece, terms in enumerate((own, pieces)):
                for term in terms:
                    self._owners.setdefault(term, []).append((index, piece))
        self._all = sorted(self._owners)
        self._text = "\n".join(["", *self._all])
        self._starts = 1 + np.cumsum([0, *(len(t) + 1 for t in self._all)])
        importance = sorted(
            range(len(corridors)),
            key=lambda i: (corridors[i].road_class, -corridors[i].length_m, corridors[i].id),
        )
        self._place = {corridor: place for place, corridor in enumerate(importance)}

    @staticmethod
    def _row_terms(network: Network, row: int) -> set[str]:
        terms = {_fold(network.names[row])}
        if row < len(network.names_en):
            terms.add(_fold(network.names_en[row]))
        if row < len(network.names_sound):
            terms.add(network.names_sound[row])
        if row < len(network.refs):
            terms |= {_fold(ref) for ref in network.refs[row].split(";")}
        return terms

    def find(self, text: str, *, limit: int = 20) -> list[Match]:
        """Corridors whose names fit, best first: by rank, then class, then length.

        A single letter is looked for at the beginning of names only.
        """
        wanted = _fold(text)
        if not wanted:
            return []
        needle = f"\n{wanted}" if len(wanted) == 1 and wanted.isascii() else wanted
        best: dict[int, tuple[int, int]] = {}
        at = self._text.find(needle)
        while at >= 0:
            at += len(needle) - len(wanted)
            number = int(self._starts.searchsorted(at, side="right")) - 1
            term = self._all[number]
            near = 0 if term == wanted else 1 if at == self._starts[number] else 3
            for corridor, piece in self._owners[term]:
                rank = min(near + piece, 3)
                if corridor not in best or rank < best[corridor][0]:
                    best[corridor] = (rank, number)
            # On to the next term; a second hit in the same one tells nothing new.
            at = self._text.find(needle, int(self._starts[number + 1]) - 1)
        chosen = nsmallest(limit, best, key=lambda c: (best[c][0], self._place[c]))
        return [Match(c, best[c][0], self._all[best[c][1]]) for c in chosen]


def _corridor_terms(corridor: Corridor) -> list[str]:
    """What a corridor is called: names, number, number with name, pinyin, initials."""
    zh, en = corridor.name.zh, corridor.name.en
    terms = [_fold(zh), _fold(en), _fold(corridor.ref), _fold(corridor.ref + zh), _fold(corridor.ref + en)]
    terms += [_fold(corridor.label.zh), _fold(corridor.label.en)]
    if has_chinese(zh):
        short = zh.removesuffix("路") if corridor.is_ring else zh
        terms += [sound_key(zh), sound_key(short), _fold(short), _initials(syllables(zh))]
    return terms
