"""Named guards: what a transition demands beyond role, state and fields.

A guard returns None when it holds, else the words that say what is missing. The same functions serve as
conditions (``when``) of transitions. Declarations name them as ``name`` or ``name:arg,arg``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, Protocol

from clearway.kernel.errors import ClearwayError, ConflictError, ForbiddenError, InputError
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.records.actors import Actor
from clearway.records.areas import AreaTree, Posts
from clearway.records.events import Head, RecordRow
from clearway.records.fields import HasPlace, is_missing, problem_of
from clearway.records.kinds import GuardRef, Kind, VerbDecl


class World(Protocol):
    """What guards and effects may look at besides the record itself."""

    @property
    def areas(self) -> AreaTree:
        """The area tree."""
        ...

    @property
    def posts(self) -> Posts:
        """Active posts."""
        ...

    def head(self) -> Head:
        """Last event so far, uncommitted ones included."""
        ...

    def record(self, record_id: str) -> RecordRow | None:
        """A record as it stands, uncommitted changes included."""
        ...

    def open_items(self, post_id: str) -> list[str]:
        """Open records for which the post answers, by id."""
        ...


@dataclass(slots=True)
class Context:
    """One command on one record while it is being decided. ``data`` is the body after the command."""

    kind: Kind
    verb: VerbDecl
    actor: Actor
    record_id: str
    row: RecordRow | None
    patch: Mapping[str, Any]
    data: dict[str, Any]
    reason: str
    at: datetime
    now: datetime
    world: World

    def before(self, name: str) -> Any:
        """Value of a field before the command."""
        return self.row.data.get(name) if self.row else None

    def doer(self, verb: str) -> tuple[str, str] | None:
        """Id and post of who last did the verb on this record."""
        found = self.row.marks.get("by", {}).get(verb) if self.row else None
        return (found[0], found[1]) if found else None


Guard = Callable[..., Text | None]


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """A registered guard. ``args`` says what its arguments are: verb, field, kind, number or nothing."""

    name: str
    call: Guard
    error: type[ClearwayError]
    args: str
    help: str


GUARDS: Final[dict[str, GuardSpec]] = {}


def guard(name: str, *, error: type[ClearwayError] = InputError, args: str = "") -> Callable[[Guard], Guard]:
    """Register a guard under its name in declarations."""

    def register(call: Guard) -> Guard:
        GUARDS[name] = GuardSpec(name, call, error, args, (call.__doc__ or "").strip().split("\n")[0])
        return call

    return register


def holds(ref: GuardRef, ctx: Context) -> bool:
    """Whether a condition holds."""
    return GUARDS[ref.name].call(ctx, *ref.args) is None


def enforce(ref: GuardRef, ctx: Context, command: HasPlace) -> None:
    """Apply a guard.

    Raises:
        ClearwayError: of the kind the guard declares, with words in both languages.
    """
    spec = GUARDS[ref.name]
    words = spec.call(ctx, *ref.args)
    if words is not None:
        raise spec.error(words.en, where=command.where, words=words)


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _label(ctx: Context, name: str) -> Text:
    return ctx.kind.fields[name].label


# --- second person, other post -------------------------------------------------------------------------


@guard("needs_second")
def needs_second(ctx: Context) -> Text | None:
    """The matter needs two people: marked so, of a closing type, or public at the two-person level."""
    if _takes_two(ctx.kind, ctx.data):
        return None
    return Text("one person is enough for this", "此事一人即可决定")


def _takes_two(kind: Kind, data: Mapping[str, Any]) -> bool:
    params = kind.params
    if data.get("two_person") or data.get("type") in params.get("two_person_types", ()):
        return True
    return "two_person_level" in params and (data.get("level") or 0) >= params["two_person_level"]


def owed_to_two(ctx: Context) -> bool:
    """Whether the matter needs two people as it was or as it would be: no command talks its way out of it."""
    return _takes_two(ctx.kind, ctx.data) or (ctx.row is not None and _takes_two(ctx.kind, ctx.row.data))


@guard("not_same_person", error=ForbiddenError, args="verb")
def not_same_person(ctx: Context, *verbs: str) -> Text | None:
    """Someone else than who did the named verbs."""
    for verb in verbs:
        doer = ctx.doer(verb)
        if doer is not None and doer[0] == ctx.actor.id:
            words = Text(
                "you did “{verb}” yourself; a second person must do this",
                "“{verb}”由您本人完成，须由另一人进行",
            )
            return words.format(verb=ctx.kind.verbs[verb].label)
    return None


@guard("other_post", error=ForbiddenError, args="verb")
def other_post(ctx: Context, *verbs: str) -> Text | None:
    """From another post (and another person) than who did the named verbs."""
    if not ctx.actor.post:
        return Text(
            "act from a post: evidence must come from another post", "须以岗位身份操作：证据应来自另一岗位"
        )
    for verb in verbs:
        doer = ctx.doer(verb)
        if doer is not None and ctx.actor.post == doer[1]:
            words = Text(
                "your post did “{verb}”; evidence must come from another post",
                "“{verb}”由本岗位完成，证据应来自另一岗位",
            )
            return words.format(verb=ctx.kind.verbs[verb].label)
    return not_same_person(ctx, *verbs)


@guard("confirmation_pending", error=ConflictError)
def confirmation_pending(ctx: Context) -> Text | None:
    """A second confirmation is still owed (after break-glass, or after what one did on scene)."""
    if ctx.before("confirm_by"):
        return None
    return Text("no second confirmation is pending here", "此处没有待补的第二人确认")


@guard("drill_stays_drill", error=ForbiddenError)
def drill_stays_drill(ctx: Context) -> Text | None:
    """A simulated actor may not touch a real record."""
    if ctx.row is None or not ctx.actor.simulated or ctx.row.data.get("simulated"):
        return None
    return Text("a simulated post may not act on a real record", "模拟岗位不得操作真实记录")


@guard("work_for_dispatcher", error=ForbiddenError)
def work_for_dispatcher(ctx: Context) -> Text | None:
    """The proposal gives, changes or cancels a task, and is addressed to a dispatcher's post."""
    post = ctx.world.posts.get(str(ctx.before("post") or ""))
    if ctx.before("target_kind") == "task" and post is not None and post.get("code") == "dispatcher":
        return None
    return Text(
        "this proposal is not addressed to the dispatcher; a duty officer decides on it",
        "此建议未报送调度岗位，由值班员决定",
    )


# --- fields ---------------------------------------------------------------------------------------------


@guard("restrictive_complete")
def restrictive_complete(ctx: Context) -> Text | None:
    """A restriction has legal basis, decider, expiry, review time and lift condition, or is not ordered."""
    restricts = ctx.data.get("restrictive") or ctx.data.get("type") in ctx.kind.params["restrictive_types"]
    if not restricts:
        return None
    missing = [f for f in ctx.kind.params["restrictive_requires"] if is_missing(ctx.data.get(f))]
    if not missing:
        return None
    names = Text(
        ", ".join(f"{_label(ctx, f).en} ({f})" for f in missing),
        "、".join(_label(ctx, f).zh for f in missing),
    )
    return Text(
        "a restrictive measure cannot be ordered without: {names}",
        "限制性措施缺少以下内容，不得下达：{names}",
    ).format(names=names)


@guard("in_future", args="field")
def in_future(ctx: Context, *names: str) -> Text | None:
    """The named times, where given, lie ahead."""
    return _not_ahead(ctx, ctx.data, names)


@guard("in_future_unless_owed", args="field")
def in_future_unless_owed(ctx: Context, *names: str) -> Text | None:
    """The named times lie ahead, unless what is confirmed stands already and only owes this."""
    return None if ctx.before("confirm_by") else in_future(ctx, *names)


def _not_ahead(ctx: Context, data: Mapping[str, Any], names: tuple[str, ...]) -> Text | None:
    for name in names:
        value = _time(data.get(name))
        if value is not None and value <= ctx.now:
            return Text("{field} is not in the future", "“{field}”不是将来时间").format(
                field=_label(ctx, name)
            )
    return None


@guard("in_past", args="field")
def in_past(ctx: Context, *names: str) -> Text | None:
    """The named times, where given, are not ahead."""
    for name in names:
        value = _time(ctx.data.get(name))
        if value is not None and value > ctx.now:
            return Text("{field} lies in the future", "“{field}”晚于当前时间").format(field=_label(ctx, name))
    return None


@guard("ordered_times", args="field")
def ordered_times(ctx: Context, *names: str) -> Text | None:
    """The named times, where given, do not run backwards."""
    return _backwards(ctx, ctx.data, names)


def _backwards(ctx: Context, data: Mapping[str, Any], names: tuple[str, ...]) -> Text | None:
    given = [(n, t) for n in names if (t := _time(data.get(n))) is not None]
    for (first, a), (second, b) in pairwise(given):
        if b < a:
            words = Text("{second} is before {first}", "“{second}”早于“{first}”")
            return words.format(first=_label(ctx, first), second=_label(ctx, second))
    return None


@guard("later_than_before", args="field")
def later_than_before(ctx: Context, *names: str) -> Text | None:
    """The named times move forwards."""
    for name in names:
        old, new = _time(ctx.before(name)), _time(ctx.data.get(name))
        if new is None or (old is not None and new <= old):
            words = Text("{field} must be later than before", "“{field}”须晚于原时间")
            return words.format(field=_label(ctx, name))
    return None


@guard("given_now", args="field")
def given_now(ctx: Context, *names: str) -> Text | None:
    """The named fields are given with this very command and bring something new."""
    for name in names:
        value = ctx.patch.get(name)
        old = ctx.before(name)
        stale = isinstance(value, list) and isinstance(old, list) and all(item in old for item in value)
        if is_missing(value) or stale:
            return Text("give new {field} with this", "此操作须附新的“{field}”").format(
                field=_label(ctx, name)
            )
    return None


def takes_two(bound: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an update of a notice needs a second person, by its data before and after.

    It does where one person may not issue what comes of it: at ``bound`` and above, or marked for two by who
    issued it. A level that falls below ``bound`` takes one: milder is never slower than worse.
    """
    was, now = int(before.get("level") or 0), int(after.get("level") or 0)
    return now >= bound or (bool(after.get("two_person")) and was < bound)


@guard("update_of_one_person", error=ForbiddenError)
def update_of_one_person(ctx: Context) -> Text | None:
    """The notice after the update is one that one person may issue, or its level falls to one."""
    before = ctx.row.data if ctx.row else {}
    if not takes_two(ctx.kind.params["two_person_level"], before, ctx.data):
        return None
    level = Level(int(ctx.data.get("level") or 0)).label
    return Text(
        "two-person rule: a notice that is {level} after the update needs two people. Propose the update; "
        "the notice stays in force unchanged until a second person confirms",
        "双人规则：更新后为{level}的公告须两人决定。请先提出更新；第二人确认前，原公告继续有效",
    ).format(level=level)


@guard("two_person_scope_kept")
def two_person_scope_kept(ctx: Context) -> Text | None:
    """A two-person measure is not widened by one: same type, no more road, no later end or fewer exempted."""
    if ctx.row is None or not owed_to_two(ctx):
        return None
    if ctx.data.get("type") != ctx.before("type"):
        return Text("a new type needs a new order by two people", "变更措施类型须由两人重新下达")
    for name in ("corridors", "places"):
        if set(ctx.data.get(name) or ()) - set(ctx.before(name) or ()):
            return Text("more road needs a new order by two people", "扩大路段范围须由两人重新下达")
    if set(ctx.before("exemptions") or ()) - set(ctx.data.get("exemptions") or ()):
        return Text("taking exemptions away needs a new order by two people", "取消豁免车辆须由两人重新下达")
    was, ends = _time(ctx.before("expiry")), _time(ctx.data.get("expiry"))
    if was is not None and (ends is None or ends > was):
        return Text(
            "a later end needs a renewal or a new order by two people",
            "推迟到期时间须办理延长或由两人重新下达",
        )
    return None


@guard("becomes_two_person")
def becomes_two_person(ctx: Context) -> Text | None:
    """The change would not turn a one-person matter into a two-person one."""
    if ctx.row is None or needs_second(ctx) is not None:
        return None
    if _takes_two(ctx.kind, ctx.row.data):
        return None
    return Text("this change needs two people: order it anew", "此变更须两人决定，请重新下达")


@guard("renewed_by_other", error=ForbiddenError)
def renewed_by_other(ctx: Context) -> Text | None:
    """A two-person measure is renewed by someone else than who last renewed it or, at first, who began it.

    Whoever ordered it, broke glass on another's order or entered it as done on scene began it.
    """
    if needs_second(ctx) is not None or ctx.row is None:
        return None
    verbs = ("renew",) if ctx.doer("renew") else ("order", "break_glass", "record_done")
    if ctx.actor.id in {doer[0] for verb in verbs if (doer := ctx.doer(verb))}:
        return Text(
            "you ordered or renewed this yourself; another person must renew a two-person measure",
            "您本人下达或延长过该措施，双人措施须由他人延长",
        )
    return None


@guard("is_kind", args="field")
def is_kind(ctx: Context, name: str, kind: str) -> Text | None:
    """The named field is the id of an existing record of the kind."""
    found = ctx.world.record(str(ctx.data.get(name) or ""))
    if found is None or found.kind != kind:
        words = Text("{field} names no {kind}", "“{field}”不是已有的记录（{kind}）")
        return words.format(field=_label(ctx, name), kind=kind)
    return None


@guard("area_known")
def area_known(ctx: Context) -> Text | None:
    """The parent area exists and makes no ring."""
    parent = str(ctx.data.get("parent") or "")
    if not parent:
        root = ctx.world.areas.root
        if root and root != ctx.record_id:
            words = Text(
                "there is already a root area, {root}; name a parent", "已有根辖区 {root}，请指定上级辖区"
            )
            return words.format(root=root)
        return None
    if parent not in ctx.world.areas:
        return Text("there is no area {parent}", "没有辖区 {parent}").format(parent=parent)
    if parent == ctx.record_id or ctx.record_id in ctx.world.areas.ancestors(parent):
        return Text("the area would lie inside itself", "辖区不能位于自身之内")
    return None


@guard("pending_valid")
def pending_valid(ctx: Context) -> Text | None:
    """The proposed change names declared fields with values of the right type."""
    pending = ctx.data.get("pending_change")
    if not isinstance(pending, dict) or not pending:
        return Text("the proposed change is empty", "拟议变更为空")
    verb = ctx.kind.params.get("change_verb")
    may = set(ctx.kind.verbs[verb].accepts or ()) - {"messages"} if verb else set(ctx.kind.fields)
    may -= {*ctx.kind.params.get("fixed_fields", ()), "pending_change"}
    for name, value in pending.items():
        spec = ctx.kind.fields.get(name)
        if spec is None or spec.house or name not in may:
            return Text("{name} cannot be changed this way", "不能以此方式更改 {name}").format(name=name)
        wrong = problem_of(spec, value)
        if wrong:
            return Text("{label} {wrong}", "“{label}”的值不正确（{wrong}）").format(
                label=spec.label, wrong=wrong
            )
    return None


@guard("change_pending", error=ConflictError)
def change_pending(ctx: Context) -> Text | None:
    """A proposed change waits for its second person."""
    if ctx.before("pending_change"):
        return None
    return Text("no proposed change is waiting", "没有待确认的变更")


@guard("no_change_pending", error=ConflictError)
def no_change_pending(ctx: Context) -> Text | None:
    """No other proposed change waits: one at a time, so that nobody confirms what he has not read."""
    if not ctx.before("pending_change"):
        return None
    return Text(
        "an update already waits for its second person: confirm it or drop it first",
        "已有更新待第二人确认，请先确认或放弃该更新",
    )


def _changed(ctx: Context) -> dict[str, Any]:
    return {**ctx.data, **(ctx.data.get("pending_change") or {})}


@guard("pending_in_future", args="field")
def pending_in_future(ctx: Context, *names: str) -> Text | None:
    """The named times lie ahead in what the proposed change makes of the record."""
    return _not_ahead(ctx, _changed(ctx), names)


@guard("pending_ordered", args="field")
def pending_ordered(ctx: Context, *names: str) -> Text | None:
    """The named times do not run backwards in what the proposed change makes of the record."""
    return _backwards(ctx, _changed(ctx), names)


# --- posts ----------------------------------------------------------------------------------------------


@guard("is_holder", error=ForbiddenError)
def is_holder(ctx: Context) -> Text | None:
    """Only who holds the post now."""
    holder = ctx.before("holder")
    if holder == ctx.actor.id:
        return None
    return Text("only the holder of the post may do this", "仅该岗位当班人可以操作")


@guard("not_holder", error=ForbiddenError)
def not_holder(ctx: Context) -> Text | None:
    """Someone else than who holds the post now."""
    if ctx.before("holder") != ctx.actor.id:
        return None
    return Text("you hold this post yourself", "您本人正在该岗位当班")


@guard("vacant", error=ConflictError)
def vacant(ctx: Context) -> Text | None:
    """Nobody holds the post."""
    if not ctx.before("holder"):
        return None
    return Text(
        "the post is held; it must be handed over, or taken with a reason by a commander",
        "该岗位有人当班，须办理交接，或由指挥长说明理由后接管",
    )


@guard("offered_to_actor", error=ForbiddenError)
def offered_to_actor(ctx: Context) -> Text | None:
    """The handover was offered to this person, or to whoever comes."""
    offer = ctx.before("handover") or {}
    if offer.get("to") in (None, "", ctx.actor.id):
        return None
    return Text("the handover was offered to someone else", "该交接指定了其他接班人")


@guard("items_acknowledged")
def items_acknowledged(ctx: Context) -> Text | None:
    """Every open item of the post is acknowledged by the successor."""
    seen = set(ctx.data.get("acknowledged") or ())
    left = [item for item in ctx.world.open_items(ctx.record_id) if item not in seen]
    if not left:
        return None
    shown = ", ".join(left[:20]) + (" …" if len(left) > 20 else "")
    return Text("{n} open items are not acknowledged: {shown}", "尚有{n}项未结事项未确认：{shown}").format(
        n=len(left), shown=shown
    )
