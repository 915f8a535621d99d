"""A refused form comes back as it was sent: the page it stood on, the reason, and every word that was typed.

The page is made anew inside the application, so that it shows the present (also after a conflict), and the
form is filled in again. Hidden fields are not: they carry version, key and token of the fresh page. Chosen
files cannot be given back to a browser; the form says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lxml import html

from clearway.kernel.errors import ClearwayError
from clearway.kernel.language import Text, from_both
from clearway.web.headers import request_id

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.datastructures import FormData

CAME_FROM: Final = "came_from"
"""Hidden field with the page a form stood on, put in when it comes back a second time."""
SECRET: Final = frozenset({"csrf", CAME_FROM, "password", "secret", "code", "login", "old", "new", "again"})
"""Fields that are never shown again."""
_STATE: Final = "refusal"
_MAX_SHOWN: Final = 20_000
_BY_THE_PAGE: Final = frozenset({"csrf", "key", "version", "shown", CAME_FROM})
_OF_THE_BUTTON: Final = _BY_THE_PAGE | {"verb", "back", "alarm"}
"""What a form holds without anybody typing it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A form that was not carried out: where it was sent, what it held, and why."""

    error: ClearwayError
    action: str
    page: str
    fields: tuple[tuple[str, str], ...]
    files: bool = False
    number: str = ""

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What a person may want back: everything but tokens and keys."""
        return [(n, v) for n, v in self.fields if n not in _OF_THE_BUTTON and v.strip()]


def remember(request: Request, form: FormData) -> None:
    """Keep what was sent with the request, in case it is refused."""
    items = form.multi_items()
    texts = [(n, v[:_MAX_SHOWN]) for n, v in items if isinstance(v, str) and n not in SECRET]
    request.state.sent = tuple(texts)
    request.state.came_from = str(form.get(CAME_FROM, ""))
    request.state.had_files = any(not isinstance(v, str) and v.filename for _, v in items)


def refusal_of(request: Request, error: ClearwayError) -> Refusal | None:
    """The refusal of the form this request sent, None where no form was sent."""
    sent = getattr(request.state, "sent", None)
    if sent is None:
        return None
    page = request.state.came_from or _own_page(request.headers.get("referer", ""), request.url.netloc)
    number = request_id(request.scope)
    return Refusal(error, request.url.path, page, sent, request.state.had_files, number)


def refused_now(request: Request) -> Refusal | None:
    """The refusal this page is made for, if it is."""
    found = getattr(request.state, _STATE, None)
    return found if isinstance(found, Refusal) else None


def _own_page(referer: str, netloc: str) -> str:
    parts = urlsplit(referer)
    if parts.netloc != netloc or not parts.path.startswith("/"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def page_again(request: Request, refusal: Refusal) -> bytes | None:
    """The page the form stood on, made anew and filled in; None where there is no such page."""
    parts = urlsplit(refusal.page)
    if not parts.path.startswith(("/console", "/field", "/account")):
        return None
    dropped = (b"content-length", b"content-type", b"accept-encoding", b"if-none-match", b"transfer-encoding")
    headers = [(n, v) for n, v in request.scope["headers"] if n.lower() not in dropped]
    scope = {
        **{k: v for k, v in request.scope.items() if k not in ("router", "endpoint", "path_params", "route")},
        "method": "GET",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": headers,
        "state": {_STATE: refusal},
    }
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")

    await request.app(scope, receive, send)
    return body if status == 200 else None


def fill_in(text: str, refusal: Refusal, language: str) -> str:
    """The page with the refused form filled in, opened, and the reason at its head."""
    document = html.document_fromstring(text)
    form = _form_of(document, refusal)
    if not (refusal.typed if form is None else _typed_into(form, refusal.fields)):
        _nothing_typed(document, language, form is not None)
    if form is None:
        _list_typed(document, refusal, language)
        return str(html.tostring(document, encoding="unicode", doctype="<!doctype html>"))
    _put_values(form, refusal.fields)
    form.set("data-typed", "yes")
    form.set("id", form.get("id") or "refused-form")
    note = html.Element("p", {"class": "refused", "id": "refused-why"})
    note.text = words_of(refusal.error, language)
    if refusal.files:
        note.text += " " + Text("Choose the files again.", "请重新选择文件。")[language]
    if refusal.number:
        number = html.Element("span", {"class": "soft small"})
        number.text = f" ({Text('request', '请求编号')[language]} {refusal.number})"
        note.append(number)
    form.insert(0, note)
    form.insert(0, html.Element("input", {"type": "hidden", "name": CAME_FROM, "value": refusal.page}))
    for box in form.iterancestors("details"):
        box.set("open", "open")
    for other in document.iter("input", "textarea", "select", "button"):
        _drop(other, "autofocus")
    field = _first_field(form, refusal.error.where)
    if field is not None:
        field.set("autofocus", "autofocus")
        field.set("aria-describedby", "refused-why")
        if refusal.error.where and _names(field.get("name", ""), refusal.error.where):
            field.set("aria-invalid", "true")
    body = document.find("body")
    if body is not None:
        body.set("data-page", refusal.page)
    return str(html.tostring(document, encoding="unicode", doctype="<!doctype html>"))


def _typed_into(form: Any, fields: Sequence[tuple[str, str]]) -> bool:
    """Whether somebody filled in or chose anything that a fresh form does not hold already."""
    sent = {name for name, value in fields if value.strip()}
    return any(
        element.get("name") in sent and (element.get("name"), _held(element)) not in fields
        for element in _fields(form)
    )


def _held(element: Any) -> str:
    """The value a field has as the page was made."""
    if element.tag == "textarea":
        return element.text or ""
    if element.tag == "select":
        options = list(element.iter("option"))
        chosen = next((o for o in options if "selected" in o.attrib), options[0] if options else None)
        return "" if chosen is None else chosen.get("value", chosen.text or "")
    if element.get("type") in ("checkbox", "radio") and "checked" not in element.attrib:
        return ""
    return str(element.get("value", ""))


def _nothing_typed(document: Any, language: str, form: bool) -> None:
    """A press of a button alone: nothing is kept, so nothing is said to be; the way to the button stays."""
    for link in document.iterfind('.//a[@href="#refused-why"]'):
        if form:
            link.text = Text("To the form", "查看表单")[language]
        else:
            link.getparent().remove(link)


def _list_typed(document: Any, refusal: Refusal, language: str) -> None:
    """The form is no longer offered (somebody was faster): what was typed stands on the page to copy."""
    main = document.find(".//main")
    if main is None or not refusal.typed:
        return
    title = Text("What you had typed", "您已填写的内容")[language]
    box = html.Element("section", {"class": "panel typed", "id": "refused-why"})
    head = html.Element("h2")
    head.text = title
    box.append(head)
    listed = html.Element("dl", {"class": "facts"})
    for name, value in refusal.typed:
        for tag, words in (("dt", name), ("dd", value)):
            made = html.Element(tag)
            made.text = words
            listed.append(made)
    box.append(listed)
    main.insert(1, box)


def words_of(error: ClearwayError, language: str) -> str:
    """What is wrong and what to do, in one line."""
    what = error.words[language] if error.words else error.what
    hint = f" {from_both(error.hint)[language]}" if error.hint else ""
    end = "" if what.endswith((".", "。", "!", "?")) else Text(".", "。")[language]
    return Text("Not done: ", "未执行：")[language] + what + end + hint


def _form_of(document: Any, refusal: Refusal) -> Any | None:
    """The form that was sent: same address, and of several the one whose fixed values agree best."""
    sent = dict(refusal.fields)
    here = urlsplit(refusal.page).path

    def agrees(form: Any) -> tuple[int, int]:
        fixed = [
            (i.get("name"), i.get("value", ""))
            for i in form.iter("input")
            if i.get("type") == "hidden" and i.get("name") not in _BY_THE_PAGE
        ]
        names = {e.get("name") for e in form.iter("input", "textarea", "select")}
        wrong = sum(sent.get(n, "") != v for n, v in fixed)
        return -wrong, len(names & set(sent))

    found = [
        form
        for form in document.iter("form")
        if (form.get("method") or "get").lower() == "post"
        and urlsplit(form.get("action") or here).path == refusal.action
    ]
    return max(found, key=agrees, default=None)


def _put_values(form: Any, fields: Sequence[tuple[str, str]]) -> None:
    left: dict[str, list[str]] = {}
    for name, value in fields:
        left.setdefault(name, []).append(value)
    for element in _fields(form):
        name, kind = element.get("name", ""), element.get("type", "text")
        if not name or name in SECRET:
            continue
        if element.tag == "input" and kind in ("checkbox", "radio"):
            _drop(element, "checked")
            if element.get("value", "on") in left.get(name, ()):
                element.set("checked", "checked")
        elif element.tag == "select":
            _choose(element, left.get(name, []))
        elif left.get(name):
            value = left[name].pop(0)
            if element.tag == "textarea":
                element.text = f"\n{value}" if value.startswith("\n") else value
            else:
                element.set("value", value)


def _choose(element: Any, values: list[str]) -> None:
    options = list(element.iter("option"))
    if not values or not any(o.get("value", o.text) in values for o in options):
        return
    for option in options:
        _drop(option, "selected")
        if option.get("value", option.text) in values:
            option.set("selected", "selected")


def _drop(element: Any, name: str) -> None:
    if name in element.attrib:
        del element.attrib[name]


def _fields(form: Any) -> Iterable[Any]:
    for element in form.iter("input", "textarea", "select"):
        if element.get("type") not in ("hidden", "file", "submit", "password"):
            yield element


def _first_field(form: Any, where: str) -> Any | None:
    """The field the reason names, else the first that can be filled in, else the first button."""
    fields = list(_fields(form))
    named = [f for f in fields if where and _names(f.get("name", ""), where)]
    for found in (*named, *fields):
        return found
    return next(iter(form.iter("button")), None)


def _names(field: str, where: str) -> bool:
    last = where.rpartition(".")[2]
    return field in (where, last) or field.partition(".")[0] in (where, where.partition(".")[0])
