"""Render the public page."""

from __future__ import annotations

from clearway.web.public.view import PublicView
from clearway.web.templating import render


def public_page(view: PublicView, *, language: str, zone: str, links: dict[str, str], css: str = "") -> str:
    """The page in one language.

    Args:
        view: what to show.
        language: ``en`` or ``zh``.
        zone: IANA zone of the area, for times.
        links: ``atom``, ``rss``, ``cap`` (template with ``{id}``), ``other`` (the page in the other
            language), ``css``, ``script`` and ``search``; an empty string leaves the link out.
        css: style text to inline for a page that must stand alone in one file.
    """
    return render("public.html", language=language, zone=zone, view=view, links=links, css=css)
