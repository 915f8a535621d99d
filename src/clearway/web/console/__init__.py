"""The console: server-rendered pages for duty, dispatch, field and administration."""

from fastapi import APIRouter

from clearway.web.console import (
    account,
    admin,
    assets,
    demodoor,
    dispatch,
    endpoints,
    fieldpage,
    inbox,
    log,
    notices,
    oidc,
    overview,
    passkeys,
    posts,
    records,
    report,
    sealed,
    signin,
    winter,
    winterlist,
)

router = APIRouter()
_DUTY = (overview, inbox, sealed, records, notices, log, posts, report)
_PAGES = (*_DUTY, fieldpage, dispatch, winter, winterlist, admin)
for part in (signin, account, oidc, passkeys, demodoor, assets, endpoints, *_PAGES):
    router.include_router(part.router)
