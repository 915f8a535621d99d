"""Declarations: the shipped ones hold together, broken ones are refused by file and key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearway.kernel.errors import InputError
from clearway.records import Kinds, load_kinds, roles
from clearway.records.loader import load_kind, shipped_folders
from clearway.records.loader import load_kinds as load

EXPECTED = {
    "area", "place", "unit", "post", "situation", "proposal", "measure", "restriction_found", "task",
    "incident", "notice",
}  # fmt: skip

GOOD = """
kind = "matter"
version = 1
desk = "command"
label = { en = "Matter", zh = "事项" }
help = { en = "A matter.", zh = "事项。" }

[states.open]
label = { en = "open", zh = "待办" }

[states.done]
label = { en = "done", zh = "完成" }
terminal = true

[fields.headline]
type = "words"
required = true
label = { en = "headline", zh = "标题" }

[fields.area]
type = "id"
label = { en = "area", zh = "辖区" }

[fields.due]
type = "time"
label = { en = "due", zh = "时限" }

[fields.size]
type = "enum"
label = { en = "size", zh = "规模" }
[fields.size.values]
big = { en = "big", zh = "大" }

[verbs.start]
label = { en = "open", zh = "新建" }
accepts = "*"
allow = [{ roles = ["duty_officer"], relations = ["own"] }]
transitions = [{ from = ["new"], to = "open" }]

[verbs.finish]
label = { en = "finish", zh = "完成" }
accepts = ["due"]
requires = ["due"]
guards = ["in_past:due", "not_same_person:start"]
effects = ["time_into:due"]
sets = { size = "big" }
allow = [{ roles = ["duty_officer"], relations = ["own"] }]
transitions = [{ from = ["open"], to = "done", when = ["needs_second"] }, { from = ["open"], to = "done" }]

[verbs.expire]
label = { en = "expire", zh = "到期" }
allow = [{ roles = ["system"], relations = ["any"] }]
transitions = [{ from = ["open"], to = "done" }]

[deadlines.due]
label = { en = "due", zh = "时限" }
field = "due"
states = ["open"]
warn_min = [5]
verb = "expire"
"""

BROKEN: list[tuple[str, str, str, str]] = [
    ('kind = "matter"', 'kind = "thing"', "kind", "file is called"),
    ("version = 1", 'version = "1"', "version", "expected int"),
    ("version = 1", "version = 0", "version", "starts at 1"),
    ("version = 1\n", "", "version", "missing"),
    ("version = 1", "version = true", "version", "expected int"),
    ('desk = "command"', 'desk = "command"\ncolour = "red"', "colour", "means nothing"),
    ('label = { en = "Matter", zh = "事项" }', 'label = { en = "Matter" }', "label", "both languages"),
    ('label = { en = "done", zh = "完成" }', 'label = { en = "done", zh = " " }',
     "states.done.label", "both"),
    ("terminal = true", "", "states.done", "nothing leads out"),
    ("[states.done]", "[states.new]", "states.new", "reserved"),
    ("[states.done]", '[states.lost]\nlabel = { en = "x", zh = "y" }\nterminal = true\n[states.done]',
     "states.lost", "cannot be reached"),
    ("[states.open]", "[states.Open]", "states.Open", "lower-case"),
    ('type = "words"', 'type = "word"', "fields.headline.type", "no field type"),
    ('type = "time"', 'type = "time"\nitems = "id"', "fields.due.items", "list's items"),
    ('type = "time"', 'type = "time"\nvalues = { a = { en = "a", zh = "b" } }', "fields.due.values", "enum"),
    ("[fields.size.values]\nbig = { en = \"big\", zh = \"大\" }", "", "fields.size.values", "enum"),
    ("[fields.area]", "[fields.region]", "fields", "lacks 'area'"),
    ('from = ["new"], to = "open"', 'from = ["new"], to = "opened"',
     "verbs.start.transitions[0].to", "no state"),
    ('from = ["new"], to = "open"', 'from = ["now"], to = "open"',
     "verbs.start.transitions[0].from", "no state"),
    ('from = ["new"], to = "open"', 'from = ["new"]', "verbs.start.transitions[0].to", "names the state"),
    ('from = ["new"], to = "open"', 'from = ["open"], to = "open"', "verbs", "none opens"),
    ('allow = [{ roles = ["system"], relations = ["any"] }]', "allow = []", "verbs.expire.allow", "nobody"),
    ('roles = ["system"]', 'roles = ["king"]', "verbs.expire.allow[0].roles", "no role"),
    ('relations = ["any"]', 'relations = ["all"]', "verbs.expire.allow[0].relations", "no relation"),
    ('roles = ["system"]', 'roles = ["duty_officer"]', "deadlines.due.verb", "system may not"),
    ('"in_past:due"', '"in_pest:due"', "verbs.finish.guards", "no guard 'in_pest'"),
    ('"in_past:due"', '"in_past"', "verbs.finish.guards", "takes field arguments"),
    ('"in_past:due"', '"in_past:dew"', "verbs.finish.guards", "no field 'dew'"),
    ('"not_same_person:start"', '"not_same_person:begin"', "verbs.finish.guards", "no verb 'begin'"),
    ('"time_into:due"', '"time_in:due"', "verbs.finish.effects", "no effect"),
    ('sets = { size = "big" }', 'sets = { size = "huge" }', "verbs.finish.sets.size", "not one of"),
    ('sets = { size = "big" }', 'sets = { weight = 1 }', "verbs.finish.sets", "no field"),
    ('accepts = ["due"]', 'accepts = ["dew"]', "verbs.finish.accepts", "no field"),
    ('accepts = ["due"]', 'accepts = "due"', "verbs.finish.accepts", "for all"),
    ('accepts = "*"', 'accepts = ["due"]', "verbs.start.accepts", "may not set headline"),
    ('requires = ["due"]', 'requires = ["dew"]', "verbs.finish.requires", "no field"),
    ('when = ["needs_second"]', 'when = ["needs_third"]', "verbs.finish.transitions[0].when", "no guard"),
    ("[verbs.expire]", "[verbs.escalate]", "verbs.escalate", "the house itself"),
    ('field = "due"\n', "", "deadlines.due", "either a field"),
    ('field = "due"\n', 'field = "due"\nafter_min = 5\n', "deadlines.due", "either a field"),
    ('field = "due"', 'field = "headline"', "deadlines.due.field", "not a time"),
    ("warn_min = [5]", "warn_min = [-5]", "deadlines.due.warn_min", "minutes before"),
    ('verb = "expire"', "", "deadlines.due", "nothing happens"),
    ('verb = "expire"', 'verb = "exspire"', "deadlines.due.verb", "no verb"),
    ('verb = "expire"', 'verb = "finish"', "deadlines.due.verb", "may not do"),
    ('verb = "expire"', 'verb = "expire"\nrepeat_min = 5', "deadlines.due.repeat_min", "without a verb"),
    ('states = ["open"]', "states = []", "deadlines.due.states", "never be armed"),
    ('states = ["open"]', 'states = ["open", "done"]', "deadlines.due.verb", "armed for ever"),
    ('{ from = ["open"], to = "done" }]\n\n[deadlines', '{ from = ["open"], to = "open" }]\n\n[deadlines',
     "deadlines.due.verb", "armed for ever"),
    ("[states.open]", "[states.open", "", "is not TOML"),
]  # fmt: skip


def written(folder: Path, text: str) -> Path:
    """The declaration in a file named after its kind."""
    path = folder / "matter.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_kind_of_the_plan_ships(kinds: Kinds) -> None:
    """The eleven kinds of the spine are there, and each lies in the folder of its own desk."""
    assert set(kinds) >= EXPECTED
    for kind in kinds.values():
        assert Path(kind.source).parts[-3] == kind.desk


def test_a_good_declaration_loads(tmp_path: Path) -> None:
    """The text from which the broken ones are made is itself fine."""
    kind = load_kind(written(tmp_path, GOOD))
    assert kind.verbs["finish"].guards[1].args == ("start",)
    assert kind.deadlines["due"].warn_min == (5.0,)


@pytest.mark.parametrize(("old", "new", "key", "words"), BROKEN)
def test_a_broken_declaration_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    """Each fault is named where it is."""
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError) as refusal:
        load_kind(path)
    assert refusal.value.where.startswith(str(path))
    assert key in refusal.value.where
    assert words in str(refusal.value)


@pytest.mark.parametrize("folder", shipped_folders(), ids=lambda f: f.parent.name)
def test_shipped_declarations_lose_no_key(folder: Path) -> None:
    """Taking any one label, state target or role list out of a shipped kind is noticed."""
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert table["kind"] == path.stem
        assert {"label", "help", "states", "fields", "verbs"} <= set(table)


def test_a_kind_is_declared_once(tmp_path: Path) -> None:
    """Two folders with the same kind are refused; so are no kinds and no folder."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        written(folder, GOOD)
    with pytest.raises(InputError, match="already declared"):
        load(folders)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no kinds"):
        load([tmp_path / "empty"])
    with pytest.raises(InputError, match="no such folder"):
        load([tmp_path / "absent"])


def test_latin1_is_refused_as_such(tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused with its name, not with a traceback."""
    path = tmp_path / "matter.toml"
    path.write_bytes(GOOD.replace("Matter", "Mäßig").encode("utf-8").replace("ß".encode(), b"\xdf"))
    with pytest.raises(InputError, match="not TOML"):
        load_kind(path)


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    """The same files give the same hash, any change another."""
    written(tmp_path, GOOD)
    first, again = load([tmp_path]).hash, load([tmp_path]).hash
    written(tmp_path, GOOD.replace("warn_min = [5]", "warn_min = [6]"))
    assert first == again != load([tmp_path]).hash


def every_label(kinds: Kinds) -> list[tuple[str, Any]]:
    """All words of all declarations, with where they stand."""
    found: list[tuple[str, Any]] = []
    for kind in kinds.values():
        found += [(kind.name, kind.label), (f"{kind.name} help", kind.help)]
        sections: tuple[Any, ...] = (kind.states, kind.fields, kind.verbs, kind.deadlines)
        for section in sections:
            found += [(f"{kind.name}.{item.name}", item.label) for item in section.values()]
        found += [(f"{kind.name}.{v.name} help", v.help) for v in kind.verbs.values()]
        for field in kind.fields.values():
            found += [(f"{kind.name}.{field.name}.{value}", label) for value, label in field.values.items()]
    return found + [(name, role.label) for name, role in roles().items()]


def test_every_word_is_there_in_both_languages(kinds: Kinds) -> None:
    """Chinese labels are Chinese, English ones are not."""

    def chinese(text: str) -> bool:
        return any("\u4e00" <= letter <= "\u9fff" for letter in text)

    is_chinese: Callable[[str], bool] = chinese
    for place, label in every_label(kinds):
        assert not is_chinese(label.en), place
        assert is_chinese(label.zh), place


def test_public_states_are_declared_with_care(kinds: Kinds) -> None:
    """Nothing undecided is public: no draft, no second person awaited, no open proposal, no task."""
    shipped = [kinds[name] for name in EXPECTED]
    public = {f"{k.name}.{s.name}" for k in shipped for s in k.states.values() if s.public}
    assert public == {
        "area.active", "area.retiring", "place.active", "situation.active", "situation.ended",
        "measure.ordered", "measure.in_force", "measure.removal_pending", "measure.closed",
        "notice.issued", "notice.cancelled", "notice.expired",
        "incident.confirmed", "incident.responding", "incident.cleared",
    }  # fmt: skip


def test_default_folders_are_those_of_the_desks() -> None:
    """Without an argument the shipped kinds are loaded."""
    assert set(load_kinds()) >= EXPECTED
