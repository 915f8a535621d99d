"""What is still missing before a first shift, and what waits for a second administrator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Response

from clearway.kernel.language import Text
from clearway.web.console.admin.common import able_admins, admin_page, require_admin
from clearway.web.console.admin.feeds import newest_weather
from clearway.web.console.forms import Visit, Visitor

router = APIRouter(prefix="/console/admin")
_STALE_H = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing an installation needs: whether it is there, and where to see to it."""

    good: bool
    words: Text
    page: str


@router.get("")
def home(visitor: Visitor) -> Response:
    """Everything an administrator looks after, the missing first."""
    require_admin(visitor)
    found = sorted(checks(visitor), key=lambda c: c.good)
    waiting = [
        row
        for kind, states in (
            ("area", ("proposed", "retiring")),
            ("post", ("proposed", "retiring")),
            ("local_rule", ("proposed", "retiring")),
        )
        if kind in visitor.house.kinds
        for row in visitor.house.journal.list(kind, states=states)
    ]
    pending = [
        row
        for kind in ("area", "post")
        for row in visitor.house.journal.list(kind, states=("active",))
        if row.data.get("pending_change")
    ]
    return admin_page(visitor, "", checks=found, records=waiting + pending, kinds=visitor.house.kinds)


def checks(visitor: Visit) -> Iterator[Check]:
    """What a first shift needs, in the order in which one would see to it."""
    house, access = visitor.house, visitor.house.access
    yield Check(
        visitor.who.account.has_second_factor,
        Text("A second factor of your own", "您本人的二次验证"),
        "/account",
    )
    areas = [g.area for g in visitor.who.grants if g.role == "admin"]
    yield Check(
        all(len(able_admins(house, area)) >= 2 for area in areas),
        Text(
            "Two administrators with a second factor: from then on each change of rights takes two people",
            "有两名已设置二次验证的管理员：此后权限变更须两人确认",
        ),
        "/console/admin/accounts",
    )
    held = {(g.role, a.id) for a in access.accounts() if not a.disabled for g in access.grants(a.id)}
    officers = {account for role, account in held if role in ("duty_officer", "commander")}
    yield Check(
        len(officers) >= 2,
        Text(
            "Two people who may decide (duty officer, commander): closures and red notices need both",
            "有两名可作决定的人员（值班员、指挥长）：封闭措施与红色预警须两人确认",
        ),
        "/console/admin/accounts",
    )
    yield Check(
        any(role == "dispatcher" for role, _ in held) and any(role == "field" for role, _ in held),
        Text("Accounts for a dispatcher and a field crew", "调度员和现场人员的账号"),
        "/console/admin/accounts",
    )
    yield Check(
        bool(house.journal.list("unit", states=("active",))),
        Text("Units that can be given tasks", "可派发任务的力量"),
        "/console/admin/units",
    )
    newest = newest_weather(house)
    age_h = (visitor.now - newest).total_seconds() / 3600 if newest else None
    yield Check(
        age_h is not None and age_h <= _STALE_H,
        Text("Weather observations of the last three hours", "近3小时的气象观测资料"),
        "/console/admin/feeds",
    )
    yield Check(
        bool(house.delivery and house.delivery.channels.channels),
        Text("A channel for notices besides page and feed", "公告除页面和订阅外的发布渠道"),
        "/console/admin/feeds",
    )
    backed = any(one.verb == "backup" for one in access.audited(500))
    yield Check(backed, Text("A backup taken from here", "在此下载过备份"), "/console/admin/journal")
