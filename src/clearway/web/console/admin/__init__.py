"""Administration, a page for each matter: accounts, areas and posts, units, rules, feeds, journal."""

from fastapi import APIRouter

from clearway.web.console.admin import accounts, feeds, home, journal, places, rules

router = APIRouter(include_in_schema=False)
for part in (home, accounts, places, rules, feeds, journal):
    router.include_router(part.router)
