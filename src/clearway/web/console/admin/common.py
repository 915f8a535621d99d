"""Who may administer what: the admin role, for its area and what lies below; changes with a second factor."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response

from clearway.kernel.errors import ForbiddenError
from clearway.kernel.language import Text, both
from clearway.web.access import AccessStore, Account
from clearway.web.console.forms import Visit
from clearway.web.services import Services
from clearway.web.strong import SecondFactorNeededError

TABS: Final = (
    ("", Text("What is missing", "待完善")),
    ("/accounts", Text("Accounts", "账号")),
    ("/areas", Text("Areas and posts", "辖区与岗位")),
    ("/units", Text("Units and places", "力量与场所")),
    ("/rules", Text("Rules", "规则库")),
    ("/feeds", Text("Feeds and channels", "数据源与渠道")),
    ("/journal", Text("Journal and backup", "日志与备份")),
)
_REACH: Final = ("own", "superior")


def require_admin(visitor: Visit, *, change: bool = False, area: str = "") -> None:
    """Refuse whoever is no administrator, or none of the area; changes need the second factor too.

    Raises:
        ForbiddenError: names the role that may.
    """
    if not any(grant.role == "admin" for grant in visitor.who.grants):
        words = Text("this page is for administrators", "本页仅限管理员")
        hint = both(Text("Ask an administrator for the role", "请联系管理员授予角色"))
        raise ForbiddenError(words.en, where="role admin", hint=hint, words=words)
    if change and not visitor.who.strong:
        words = Text("a change here needs your second factor", "在此变更须先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="/signin/second", words=words)
    if area and not reaches(visitor, area):
        words = Text(
            "you are no administrator of that area, nor of one above it", "您不是该辖区或其上级辖区的管理员"
        )
        hint = both(Text("Ask the administrator of that area", "请联系该辖区管理员"))
        raise ForbiddenError(words.en, where=f"area {area}", hint=hint, words=words)


def reaches(visitor: Visit, area: str) -> bool:
    """Whether an admin role of the visitor is for the area or one above it."""
    tree = visitor.house.journal.authority().areas
    held = [grant.area for grant in visitor.who.grants if grant.role == "admin"]
    return area in tree and any(tree.relation(mine, area) in _REACH for mine in held)


def reaches_account(visitor: Visit, account: str) -> bool:
    """Whether all roles of an account lie where the visitor is administrator."""
    return all(reaches(visitor, grant.area) for grant in visitor.house.access.grants(account))


def able_admins(house: Services, area: str) -> list[Account]:
    """Administrators of an area who can confirm a change: not disabled, with a second factor."""
    tree, access = house.journal.authority().areas, house.access
    return [
        account
        for account in access.accounts()
        if account.has_second_factor
        and not account.disabled
        and _is_admin(access, account.id, area, tree.relation)
    ]


def _is_admin(access: AccessStore, account: str, area: str, relation: Any) -> bool:
    return any(g.role == "admin" and relation(g.area, area) in _REACH for g in access.grants(account))


def admin_page(visitor: Visit, tab: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the administration with its tabs."""
    return visitor.page(
        f"admin/{tab or 'home'}.html",
        status=status,
        tabs=TABS,
        tab=f"/{tab}" if tab else "",
        waiting=len(visitor.house.access.changes()),
        **values,
    )
