"""What people decide on: the plan, a changed plan, and a request for salt, as proposals.

Plans go to the dispatcher's post. The dispatcher may approve them there (verb ``approve_work``), since they
do no more than give and change tasks; the duty officer and the commander may as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from clearway.desks.winter.plan_model import Plan, many
from clearway.desks.winter.stock import Request
from clearway.kernel.clock import iso
from clearway.kernel.language import Text, join
from clearway.kernel.levels import Level
from clearway.operations.winter.build import Site
from clearway.operations.winter.check import Verdict
from clearway.operations.winter.release import taken_off
from clearway.operations.winter.replan import NewPlan
from clearway.picture.findings import Alternative, Evidence, Proposal, RuleRef
from clearway.records import Actor, Command, Event, Journal, RecordRow

RULE: Final = RuleRef(
    "winter.plan",
    Text(
        "Plough and salt plan: class promises first, then way and salt",
        "除雪撒布计划：先保等级时限，再求里程与用料",
    ),
    "Clearway default; service classes of doctrine winter.service",
    "D",
)
VALID: Final = timedelta(minutes=30)
POST: Final = "post-dispatch"
FAULTS_NAMED: Final = 4


def holds_lists(task: RecordRow) -> bool:
    """Whether a task is a plan: the lists of a whole fleet, followed on the winter page and in the cabs.

    No single crew may be given it, or say of it that it is done.
    """
    return bool((task.data.get("details") or {}).get("plan"))


def lists_data(site: Site, plan: Plan) -> list[dict[str, Any]]:
    """The crews' lists as they are kept in the task."""
    stops = site.problem.stops
    return [
        {
            "unit": crew.id,
            "stops": [stops[v.index].id for v in visits if v.kind == "stop"],
            "from": iso(site.problem.start + timedelta(seconds=float(visits[0].leave_s))) if visits else None,
            "until": iso(site.problem.start + timedelta(seconds=float(visits[-1].done_s)))
            if visits
            else None,
            "reloads": sum(1 for v in visits if v.kind == "reload"),
        }
        for crew, visits in zip(site.problem.crews, plan.visits, strict=True)
    ]


def plan_proposal(site: Site, plan: Plan, verdict: Verdict, at: datetime, zone: str) -> Proposal:
    """Propose a plan to the dispatcher; what it cannot promise is said."""
    done = [v[-1].done_s for v in plan.visits if v]
    end = site.problem.start + timedelta(seconds=float(max(done, default=0.0)))
    clock = end.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    head = Text(
        f"Plan for {len(site.problem.crews)} crews: {verdict.work_km:.0f} km in {verdict.stops} stops, "
        f"done by {clock}",
        f"{len(site.problem.crews)}个机组的作业计划：{verdict.stops}项、{verdict.work_km:.0f}公里，{clock}前完成",
    )
    broken = (
        join(list(verdict.broken)) if verdict.broken else Text("all class promises kept", "各级时限均可兑现")
    )
    return _proposal(site, plan, verdict, head, broken, at, "winter.plan", ())


def orphans_told(found: NewPlan) -> Text:
    """How many of the stops that change crew were those of a lost truck, and had to."""
    if not found.orphans:
        return Text("", "")
    n = len(found.orphans)
    return Text(f", {n} of them from the truck that is out", f"，其中{n}项原属停用车辆")


def released_told(found: NewPlan) -> Text:
    """How many roads come off the lists, and what that saves."""
    if not found.released:
        return Text("", "")
    roads, tonnes = taken_off(found.released)
    return Text(
        f"{many(roads, 'road')} come off, {tonnes:.1f} t of salt saved; "
        if roads > 1
        else f"1 road comes off, {tonnes:.1f} t of salt saved; ",
        f"移除{roads}条道路、节省用盐{tonnes:.1f}吨；",
    )


def change_proposal(
    found: NewPlan, verdict: Verdict, at: datetime, why: Text, *, target: str = "", number: int = 0
) -> Proposal:
    """Propose a new plan: what happens without it, who gets what."""
    left = len(found.plan.problem.stops) - found.added
    more = Text(f"; {found.added} added", f"；新增{found.added}项") if found.added else Text("", "")
    off, off_words = released_told(found), tuple(r.words for r in found.released)
    head = Text(
        f"New lists: {off.en}{len(found.moved)} of {left} remaining stops change crew "
        f"({100 * found.share_moved:.0f} %){orphans_told(found).en}{more.en}",
        f"调整作业单：{off.zh}剩余{left}项中{len(found.moved)}项换车（{100 * found.share_moved:.0f}%）"
        f"{orphans_told(found).zh}{more.zh}",
    )
    without = Text(
        f"{why.en}. Unchanged, {many(found.late_without, 'promise')} broken; "
        f"with the new lists {found.late_with}.",
        f"{why.zh}。不调整将有{found.late_without}项逾时；调整后{found.late_with}项。",
    )
    names = [
        found.plan.problem.crews[c].name for c in sorted({int(found.plan.crew_of()[j]) for j in found.moved})
    ]
    cost = (
        Text("changes for: {n}", "涉及：{n}").format(n=join(names, limit=6)) if names else Text("none", "无")
    )
    return _proposal(
        found.site,
        found.plan,
        verdict,
        head,
        without,
        at,
        f"winter.replan.{number}",
        (*off_words, cost, *found.dropped),
        target,
        off_words,
    )


def refusal(verdict: Verdict) -> Text:
    """What the checker holds against lists, for whoever decides on them."""
    return Text(
        "Not recommended: the checker refuses these lists: {f}", "不建议采纳：检验不通过：{f}"
    ).format(f=join(list(verdict.faults), limit=FAULTS_NAMED))


def _proposal(
    site: Site,
    plan: Plan,
    verdict: Verdict,
    head: Text,
    why: Text,
    at: datetime,
    key: str,
    notes: tuple[Text, ...],
    target: str = "",
    off: tuple[Text, ...] = (),
) -> Proposal:
    problem = site.problem
    corridors = sorted({problem.stretches[s.stretch].corridor for s in problem.stops} - {-1})
    ids = [site.network.corridors[c].id for c in corridors]
    late = int(plan.late().sum())
    if not verdict.usable:
        why = Text("{r}. {w}", "{r}。{w}").format(r=refusal(verdict), w=why)
    due = problem.start + timedelta(seconds=float(max((s.due_s for s in problem.stops), default=0.0)))
    action = problem.stops[0].action if problem.stops else "none"
    details = {
        "plan": lists_data(site, plan),
        "late": late,
        "refused_by_checker": [t.as_dict() for t in verdict.faults],
        "left_out": [t.as_dict() for t in problem.left_out],
        "fleet": site.fleet.source.as_dict(),
        **({"off_the_lists": [t.as_dict() for t in off]} if off else {}),
    }
    payload: dict[str, Any] = {
        "headline": head.as_dict(),
        "corridors": ids,
        "action": action,
        "due": iso(max(due, at + timedelta(minutes=1))),
        "details": details,
    }
    if not target:
        payload |= {"type": "treat", "level": int(Level.YELLOW), "hazard": "snow_ice", "desk": "winter"}
    return Proposal(
        key=f"{key}/{iso(problem.start)}/{iso(at)}",
        desk="winter",
        rule=RULE,
        act="change" if target else "open",
        target_kind="task",
        target=target,
        payload=payload,
        headline=head,
        why=why,
        if_nothing=Text("Crews work without a common list.", "各车无统一作业单。")
        if not target
        else Text("Crews go on with the old lists.", "各车继续按原作业单作业。"),
        benefit=Text(
            f"{many(len(problem.stops) - late, 'stop')} in time", f"{len(problem.stops) - late}项按时"
        ),
        cost=join(list(notes)) if notes else Text("crews and salt as listed", "车辆与用料见清单"),
        evidence=(
            Evidence(
                Text(f"search of {plan.seconds:.1f} s, {plan.rounds} rounds", f"求解{plan.seconds:.1f}秒"),
                plan.seconds,
                "s",
                at,
                "winter plan solver and independent checker",
            ),
        ),
        alternatives=(
            Alternative(
                head,
                0,
                Text("restricts nobody", "不作限制") if verdict.usable else refusal(verdict),
                chosen=verdict.usable,
                least_restrictive=True,
            ),
            Alternative(Text("Leave it as it is", "维持现状"), 0, why, chosen=not verdict.usable),
        ),
        subjects=tuple(ids),
        level=Level.YELLOW,
        decide_by=at + timedelta(minutes=10),
        expires=at + VALID,
        loss_by_waiting=float(late),
        post=POST,
        confidence=0.8 if verdict.usable else 0.2,
    )


def request_payload(request: Request, store: Text, neighbour: Text, zone: str) -> dict[str, Any]:
    """Body of the task that asks a neighbour for salt."""
    clock = request.by.astimezone(ZoneInfo(zone)).strftime("%d %H:%M")
    return {
        "type": "supply",
        "headline": Text("{n}: {t:g} t of salt to {s} by {c}", "请{n}支援：{c}前运送融雪剂{t:g}吨至{s}")
        .format(n=neighbour, t=request.tonnes, s=store, c=clock)
        .as_dict(),
        "due": iso(request.by),
        "hazard": "snow_ice",
        "desk": "winter",
        "details": {"store": request.store, "tonnes": request.tonnes, "kind": "mutual_aid"},
    }


def propose(journal: Journal, proposal: Proposal, actor: Actor, at: datetime, area: str) -> Event:
    """Put a proposal before the dispatcher.

    Raises:
        ClearwayError: the journal refused it.
    """
    record = proposal.record_id(at)
    data = {**proposal.as_data(), "area": area}
    key = f"{proposal.key}:open:{iso(at)}"
    return journal.submit(Command("proposal", "open", data, actor, key, record))


def order_lists(journal: Journal, proposal: Proposal, actor: Actor, at: datetime, area: str) -> Event:
    """The dispatcher's own way: carry a plan or a change straight out as a task, without a duty officer.

    Raises:
        ClearwayError: the journal refused it.
    """
    record = proposal.target or proposal.record_id(at).replace("prop", "task", 1)
    verb = "change" if proposal.target else "open"
    data = dict(proposal.payload) if proposal.target else {**proposal.payload, "area": area}
    key = f"{proposal.key}:order:{iso(at)}"
    return journal.submit(Command("task", verb, data, actor, key, record, reason=proposal.why.en))
