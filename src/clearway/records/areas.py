"""The area tree and the posts in it, as the area and post records say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clearway.kernel.errors import InputError


class AreaTree:
    """Parents and neighbours of areas. A record without an area belongs to the root.

    Readers in other threads see either the old or the new tree: every change replaces the dicts whole.
    """

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._neighbours: dict[str, frozenset[str]] = {}
        self._relations: dict[tuple[str, str], str] = {}
        self.root = ""

    def put(self, area_id: str, data: Mapping[str, Any]) -> None:
        """Add or change an area.

        Raises:
            InputError: the parent would make a ring.
        """
        parent = str(data.get("parent") or "")
        seen = area_id
        step = parent
        while step:
            if step == seen:
                raise InputError(f"area {area_id} would lie inside itself", where=f"area {area_id} parent")
            step = self._parent.get(step, "")
        self._parent = {**self._parent, area_id: parent}
        self._neighbours = {**self._neighbours, area_id: frozenset(data.get("neighbours") or ())}
        self._forget()

    def remove(self, area_id: str) -> None:
        """Take an area out (its opening was rolled back)."""
        self._parent = {k: v for k, v in self._parent.items() if k != area_id}
        self._neighbours = {k: v for k, v in self._neighbours.items() if k != area_id}
        self._forget()

    def _forget(self) -> None:
        roots = sorted(a for a, p in self._parent.items() if not p)
        self.root = roots[0] if roots else ""
        self._relations = {}

    def __contains__(self, area_id: object) -> bool:
        return area_id in self._parent

    def __len__(self) -> int:
        return len(self._parent)

    def parent(self, area_id: str) -> str:
        """Parent of an area; empty for a root or an unknown area."""
        return self._parent.get(area_id, "")

    def ancestors(self, area_id: str) -> list[str]:
        """Parent, grandparent … root."""
        found: list[str] = []
        step = self.parent(area_id)
        while step:
            found.append(step)
            step = self.parent(step)
        return found

    def relation(self, actor_area: str, record_area: str) -> str:
        """How the actor's area stands to the record's: own, superior, subordinate, neighbour or none."""
        record_area = record_area or self.root
        key = (actor_area, record_area)
        known = self._relations.get(key)
        if known is None:
            known = self._relations[key] = self._relation(actor_area, record_area)
        return known

    def _relation(self, actor_area: str, record_area: str) -> str:
        if not actor_area:
            return "none"
        if actor_area == record_area:
            return "own"
        if actor_area in self.ancestors(record_area):
            return "superior"
        if record_area in self.ancestors(actor_area):
            return "subordinate"
        near = self._neighbours.get(record_area, frozenset())
        if actor_area in near or record_area in self._neighbours.get(actor_area, frozenset()):
            return "neighbour"
        return "none"


class Posts:
    """Active posts by id, for escalations and handovers."""

    def __init__(self) -> None:
        self._posts: dict[str, dict[str, Any]] = {}

    def put(self, post_id: str, data: dict[str, Any], *, active: bool) -> None:
        """Add, change or (not active) drop a post."""
        posts = dict(self._posts)
        posts.pop(post_id, None)
        if active:
            posts[post_id] = data
        self._posts = posts

    def get(self, post_id: str) -> dict[str, Any] | None:
        """Body of an active post."""
        return self._posts.get(post_id)

    def of_area(self, area_id: str, codes: Iterable[str] = ()) -> list[str]:
        """Active posts of an area in order of rank (highest first), then id; ``codes`` filters by code."""
        wanted = set(codes)
        found = [
            (-(body.get("rank") or 0), post_id)
            for post_id, body in self._posts.items()
            if body.get("area") == area_id and (not wanted or body.get("code") in wanted)
        ]
        return [post_id for _, post_id in sorted(found)]

    def superior(self, areas: AreaTree, area_id: str, post: str) -> str:
        """The post to call when ``post`` (an id, a code or nothing) of the area did not act in time.

        The post's own ``superior`` if declared; else the next higher rank in the same area; else the
        highest post of the nearest area above that has one. Empty when there is none.
        """
        body = self._posts.get(post)
        if body is None and post:
            match = self.of_area(area_id or areas.root, [post])
            body = self._posts[match[0]] if match else None
            post = match[0] if match else ""
        if body is not None:
            named = str(body.get("superior") or "")
            if named in self._posts:
                return named
            area_id = str(body.get("area") or "")
            rank = body.get("rank") or 0
            above = [p for p in self.of_area(area_id) if (self._posts[p].get("rank") or 0) > rank]
            if above:
                return above[-1]
        area_id = area_id or areas.root
        own = [] if body is not None else [area_id]
        for area in own + areas.ancestors(area_id):
            found = [p for p in self.of_area(area) if p != post]
            if found:
                return found[0]
        return ""
