"""The demo's door: take any seat of a simulated deployment, here, with the secret printed at start.

There is no such door anywhere else: a live deployment has no secret for it, and neither has a demo without.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from clearway.kernel.errors import NotFoundError
from clearway.kernel.language import Text
from clearway.web.console.forms import LANGUAGE_COOKIE, language_of, safe_next, set_cookie
from clearway.web.guard import SESSION_COOKIE, House
from clearway.web.services import Services
from clearway.web.templating import render

router = APIRouter(include_in_schema=False)
SEATS: Final = {
    "duty": (Text("Duty officer", "值班员"), Text("decides on proposals", "对建议作出决定"), "/console"),
    "second": (
        Text("Second officer", "副班"),
        Text("confirms closures and red notices", "确认封闭措施与红色预警"),
        "/console/inbox",
    ),
    "commander": (
        Text("Commander", "指挥长"),
        Text("may do and see everything", "拥有全部权限"),
        "/console",
    ),
    "dispatcher": (
        Text("Dispatcher", "调度员"),
        Text("sends ploughs and patrols", "调派除雪与巡逻力量"),
        "/console/dispatch",
    ),
    "field": (
        Text("Field crew", "现场班组"),
        Text("works off tasks, on a phone", "在手机上办理任务"),
        "/field",
    ),
    "admin": (
        Text("Second administrator", "第二名管理员"),
        Text("confirms changes of areas, posts and rules", "确认辖区、岗位与规则的变更"),
        "/console/admin",
    ),
}
Secret = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


def check_door(request: Request, house: Services, secret: str) -> None:
    """Refuse unless this is a simulation, called from this machine, with its secret.

    Raises:
        NotFoundError: as if there were no door.
    """
    host = request.client.host if request.client else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    open_here = house.simulated and bool(house.demo_door) and near
    if not open_here or not hmac.compare_digest(house.demo_door, secret):
        raise NotFoundError("there is nothing here", hint="The demo prints its address when it starts")


@router.get("/demo/{secret}")
def door(request: Request, house: House, secret: Secret) -> Response:
    """Choose a seat."""
    check_door(request, house, secret)
    language = language_of(request)
    text = render(
        "console/demodoor.html",
        language=language,
        zone=house.zone,
        area=house.area,
        seats=SEATS,
        secret=secret,
    )
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


@router.post("/demo/{secret}")
def sit(
    request: Request,
    house: House,
    secret: Secret,
    seat: Annotated[str, Form(max_length=20)],
    language: Annotated[str, Form(pattern="^(en|zh)$")] = "en",
    next: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Sign in as the demo's account of a seat, second factor granted."""
    check_door(request, house, secret)
    account = seat_account(house, seat)
    session, _ = house.access.open_session(account, strong=True, agent=request.headers.get("user-agent", ""))
    target = safe_next(next) if next else SEATS[seat][2]
    response = RedirectResponse(target, status_code=303)
    set_cookie(response, request, SESSION_COOKIE, session)
    set_cookie(response, request, LANGUAGE_COOKIE, language, days=365)
    return response


def seat_account(house: Services, seat: str) -> str:
    """Id of the demo's account of a seat.

    Raises:
        NotFoundError: no such seat.
    """
    found = [account.id for account in house.access.accounts() if account.login == seat]
    if seat not in SEATS or not found:
        raise NotFoundError(f"there is no seat {seat!r}")
    return found[0]
