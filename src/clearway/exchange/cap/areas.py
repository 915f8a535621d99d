"""Places of a notice as CAP areas: names by language, rings fit to publish, codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from clearway.exchange.cap.model import Area, NameValue, Polygon
from clearway.exchange.cap.shapes import publishable_rings
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text, join

_SOMEWHERE: Final = Text("See the map", "见地图所示范围")


def name_of(item: Any, names: Mapping[str, Text]) -> Text:
    """Name of an area or corridor given as an id or as a mapping with a name."""
    if isinstance(item, Mapping):
        given = item.get("name") or item.get("label")
        if given:
            return Text.of(given)
        item = item.get("id", "")
    return names.get(str(item)) or Text(str(item), str(item))


def areas_of(
    notice: Mapping[str, Any], names: Mapping[str, Text], languages: Sequence[str]
) -> dict[str, tuple[Area, ...]]:
    """Areas by language; one with shapes of its own stands alone, the others share those of the notice."""
    items = list(notice.get("areas") or ())
    own = [i for i in items if isinstance(i, Mapping) and (i.get("polygons") or i.get("geocodes"))]
    shared = [name_of(i, names) for i in items if i not in own]
    places = [(name_of(i, names), *_shapes(i)) for i in own]
    rings, codes = _shapes(notice)
    if rings or codes or not own:
        if not shared and not own:
            shared = [name_of(c, names) for c in notice.get("corridors") or ()]
        places.insert(0, (join(shared, limit=12) if shared else _SOMEWHERE, rings, codes))
    return {
        language: tuple(Area(name[language], polygons=rings, geocodes=codes) for name, rings, codes in places)
        for language in languages
    }


def _shapes(item: Mapping[str, Any]) -> tuple[tuple[Polygon, ...], tuple[NameValue, ...]]:
    return publishable_rings(item.get("polygons") or ()), _geocodes(item.get("geocodes") or ())


def _geocodes(items: Iterable[Any]) -> tuple[NameValue, ...]:
    """Pairs from codes, pairs or mappings; bare digits are Chinese division codes."""
    found = []
    for number, item in enumerate(items):
        if isinstance(item, Mapping):
            pair = NameValue(
                str(item.get("valueName") or item.get("name") or ""), str(item.get("value") or "")
            )
        elif isinstance(item, str):
            pair = NameValue("GB/T 2260" if len(item) <= 6 else "CPEAS Geographic Code", item)
        else:
            pair = NameValue(*(str(part) for part in item))
        if not pair.name or not pair.value:
            raise InputError(f"{item!r} is not a geocode", where=f"geocodes[{number}]")
        found.append(pair)
    return tuple(found)
