"""Find a corridor by what a person types: Chinese, English, pinyin, initials or number."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from heapq import nsmallest

import numpy as np

from clearway.network.model import Corridor, Network
from clearway.network.naming import has_chinese, sound_key, syllables

_PIECE = 1 << 32


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
        # term -> corridor numbers by importance, +_PIECE where the term names only a piece of the corridor
        owners: dict[str, list[int]] = {}
        importance = sorted(
            range(len(corridors)),
            key=lambda i: (corridors[i].road_class, -corridors[i].length_m, corridors[i].id),
        )
        for place, index in enumerate(importance):
            own = set(_corridor_terms(corridors[index])) - {""}
            rows = np.unique(np.asarray(network.name_index)[np.asarray(corridors[index].segments)])
            pieces = {t for row in rows[rows >= 0].tolist() for t in by_row[row]} - own - {""}
            for offset, terms in ((0, own), (_PIECE, pieces)):
                for term in terms:
                    owners.setdefault(term, []).append(place + offset)
        self._importance = importance
        self._all = sorted(owners)
        self._text = "\n".join(["", *self._all])
        self._starts = 1 + np.cumsum([0, *(len(t) + 1 for t in self._all)])
        self._owned = np.array([place for term in self._all for place in owners[term]], np.int64)
        self._owned_start = np.cumsum([0, *(len(owners[term]) for term in self._all)])

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

        One or two letters are looked for at the beginning of names only.
        """
        wanted = _fold(text)
        if not wanted:
            return []
        low, high = bisect_left(self._all, wanted), bisect_left(self._all, wanted + "\U0010ffff")
        best: dict[int, tuple[int, int]] = {}
        self._take(best, low, high, wanted, limit)
        if len(best) < limit and not (len(wanted) < 3 and wanted.isascii()):
            self._look_inside(best, wanted, range(low, high), limit)
        chosen = nsmallest(limit, best, key=lambda place: (best[place][0], place))
        return [Match(self._importance[p], best[p][0], self._all[best[p][1]]) for p in chosen]

    def _take(self, best: dict[int, tuple[int, int]], low: int, high: int, wanted: str, limit: int) -> None:
        """The ``limit`` best corridors of the terms ``low:high``, all of which begin with ``wanted``."""
        a, b = int(self._owned_start[low]), int(self._owned_start[high])
        code = self._owned[a:b]
        term = low + np.repeat(np.arange(high - low), np.diff(self._owned_start[low : high + 1]))
        whole = low < high and self._all[low] == wanted
        rank = 1 + (code >= _PIECE) - (whole & (term == low))
        order = np.lexsort((code % _PIECE, rank))
        for k in order.tolist():
            place = int(code[k] % _PIECE)
            if place not in best:
                best[place] = (int(rank[k]), int(term[k]))
                if len(best) == limit:
                    return

    def _look_inside(self, best: dict[int, tuple[int, int]], wanted: str, known: range, limit: int) -> None:
        """Fill up with corridors that have ``wanted`` anywhere in a name."""
        found = np.array([m.start() for m in re.finditer(re.escape(wanted), self._text)], np.int64)
        terms = np.unique(self._starts.searchsorted(found, side="right") - 1)
        terms = terms[(terms < known.start) | (terms >= known.stop)]
        count = self._owned_start[terms + 1] - self._owned_start[terms]
        at = np.repeat(self._owned_start[terms] - (np.cumsum(count) - count), count) + np.arange(count.sum())
        places, first = np.unique(self._owned[at] % _PIECE, return_index=True)
        owner = np.repeat(terms, count)[first]
        for place, term in zip(places.tolist(), owner.tolist(), strict=True):
            if len(best) == limit:
                return
            best.setdefault(place, (3, term))


def _corridor_terms(corridor: Corridor) -> list[str]:
    """What a corridor is called: names, number, number with name, pinyin, initials."""
    zh, en = corridor.name.zh, corridor.name.en
    terms = [_fold(zh), _fold(en), _fold(corridor.ref), _fold(corridor.ref + zh), _fold(corridor.ref + en)]
    terms += [_fold(corridor.label.zh), _fold(corridor.label.en)]
    if has_chinese(zh):
        short = zh.removesuffix("路") if corridor.is_ring else zh
        terms += [sound_key(zh), sound_key(short), _fold(short), _initials(syllables(zh))]
    return terms
