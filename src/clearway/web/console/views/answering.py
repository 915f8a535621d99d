"""Who may take an alarm up: whoever it calls, a post above, or whose role may do the thing it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clearway.kernel.language import Text, join
from clearway.records import Actor, Decision
from clearway.web.console.views.alarms import Alarm, AlarmGroup
from clearway.web.console.views.inbox import stood_up
from clearway.web.services import Services

_DOES: Final[Mapping[str, tuple[str, ...]]] = {
    "call_second": ("confirm",),
    "call_confirm": ("confirm",),
    "call_update": ("confirm_update",),
    "call_decide": ("approve", "approve_work", "refuse"),
    "call_report": ("confirm",),
    "second_person": ("confirm",),
    "second_person_update": ("confirm_update",),
    "break_glass": ("confirm",),
    "decide_by": ("approve", "approve_work", "refuse"),
    "review": ("review",),
    "removal": ("verify_removed",),
    "due": ("done",),
    "acknowledge": ("acknowledge",),
    "verify": ("verify",),
    "confirm": ("confirm",),
    "expected_clear": ("update", "clear"),
    "close": ("close",),
    "next_update": ("update",),
}
"""Alarm → verbs that settle what it is about. Where none is named only posts may take it up."""


@dataclass(frozen=True, slots=True)
class Answering:
    """One person before the alarms: the posts held and what the roles permit."""

    house: Services
    actor: Actor
    held: frozenset[str]
    above: Mapping[str, str]
    titles: Mapping[str, Text]

    @classmethod
    def of(cls, house: Services, actor: Actor) -> Answering:
        """As the posts are held now."""
        rows = house.journal.list("post", states=("active",))
        return cls(
            house,
            actor,
            frozenset(r.id for r in rows if r.data.get("holder") == actor.id),
            {r.id: str(r.data.get("superior") or "") for r in rows},
            {r.id: Text.of(r.data["title"]) for r in rows},
        )

    def may(self, alarm: Alarm) -> Decision:
        """Whether this person may take an alarm up, and the rule in words."""
        post = next((p for p in self._line(alarm) if p in self.held), "")
        if post:
            words = Text(
                "you hold {post}, which is called or stands above", "您在岗：{post}（被呼叫岗位或其上级）"
            )
            return Decision(True, f"alarm.take: post {post}", words.format(post=self.titles[post]))
        kind = self.house.kinds[alarm.row.kind]
        verbs = [v for v in _DOES.get(alarm.deadline, ()) if v in kind.verbs and alarm.about is None]
        authority = self.house.journal.authority()
        for verb in verbs:
            decision = authority.may(self.actor, verb, alarm.row)
            if decision.allowed and self.actor.id not in stood_up(kind, verb, alarm.row):
                return Decision(True, f"alarm.take: {decision.rule}", decision.explanation)
        return Decision(False, f"alarm.take: {alarm.deadline}", self._refusal(alarm, verbs))

    def line(self, group: AlarmGroup) -> Decision:
        """Whether any of a line may be taken up; else why its first may not."""
        found = [self.may(alarm) for alarm in group.alarms]
        return next((d for d in found if d.allowed), found[0])

    def _line(self, alarm: Alarm) -> list[str]:
        """The posts called and those above them, the nearest first."""
        found = [post for post in alarm.called if post]
        for post in found:
            higher = self.above.get(post, "")
            if higher and higher not in found:
                found.append(higher)
        return found

    def _refusal(self, alarm: Alarm, verbs: list[str]) -> Text:
        posts = join([self.titles[p] for p in self._line(alarm) if p in self.titles])
        kind = self.house.kinds[alarm.row.kind]
        does = join([kind.verbs[v].label for v in verbs])
        if not verbs:
            words = Text(
                "this alarm is taken up by who holds: {posts}", "此告警仅可由以下岗位的当班人受理：{posts}"
            )
        elif not posts.en:
            words = Text(
                "this alarm is taken up by who may do: {does}", "此告警仅可由有权办理“{does}”的人员受理"
            )
        else:
            words = Text(
                "this alarm is taken up by who holds: {posts}; or by another whose role may do: {does}",
                "此告警可由以下岗位的当班人受理：{posts}；或由有权办理“{does}”的其他人员受理",
            )
        return words.format(posts=posts, does=does)
