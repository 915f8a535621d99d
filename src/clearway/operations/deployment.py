"""What a deployment is made of: its areas, posts and units, opened in the journal once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.records import SYSTEM, Actor, Command, Journal, Role

SIMULATED_SYSTEM: Final = Actor("system", (Role("system"),), simulated=True)


@dataclass(frozen=True, slots=True)
class PostSpec:
    """A seat on duty: its code doubles as the role its holder acts in."""

    id: str
    code: str
    role: str
    title: Text
    superior: str = ""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """A crew or vehicle that can be tasked."""

    id: str
    type: str
    name: Text
    speed_kmh: float = 30.0
    load_capacity_kg: float = 0.0
    width_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One jurisdiction: a root area, the city and its grid, posts and units."""

    area: str
    name: Text
    nation: str
    nation_name: Text
    zone: str
    posts: tuple[PostSpec, ...]
    units: tuple[UnitSpec, ...]
    polygon: tuple[tuple[float, float], ...] = field(default=())
    code: str = ""
    """Administrative division code (GB/T 2260), empty where there is none."""

    def actor(self, post_id: str, *, account: str = "", simulated: bool = False) -> Actor:
        """The actor who sits at a post; in a replay the post itself stands in for its holder."""
        post = next(p for p in self.posts if p.id == post_id)
        return Actor(account or f"sim:{post_id}", (Role(post.role, self.area),), post_id, simulated)


POSTS: Final = (
    PostSpec("post-commander", "commander", "commander", Text("Commander", "指挥长")),
    PostSpec("post-duty", "duty_officer", "duty_officer", Text("Duty officer", "值班员"), "post-commander"),
    PostSpec(
        "post-second", "second_officer", "duty_officer", Text("Second officer", "副班"), "post-commander"
    ),
    PostSpec("post-dispatch", "dispatcher", "dispatcher", Text("Dispatcher", "调度员"), "post-duty"),
    PostSpec("post-field", "field", "field", Text("Field crews", "现场力量"), "post-dispatch"),
)


def beijing(network: Network, *, crews: int = 60) -> Deployment:
    """The demo's deployment: one city, five posts, a stated number of spreader-ploughs and patrols.

    The fleet is a labelled default, not the city's real one.
    """
    west, east = float(network.coords[:, 0].min()), float(network.coords[:, 0].max())
    south, north = float(network.coords[:, 1].min()), float(network.coords[:, 1].max())
    ploughs = tuple(
        UnitSpec(
            f"unit-plough-{n:02d}", "plough_spreader", Text(f"Plough {n}", f"除雪{n}号车"), 30.0, 8000.0, 3.0
        )
        for n in range(1, crews + 1)
    )
    patrols = tuple(
        UnitSpec(f"unit-patrol-{n:02d}", "patrol", Text(f"Patrol {n}", f"巡逻{n}组"), 40.0)
        for n in range(1, 13)
    )
    return Deployment(
        area="beijing",
        name=Text("Beijing", "北京市"),
        nation="cn",
        nation_name=Text("China", "中国"),
        zone="Asia/Shanghai",
        posts=POSTS,
        units=ploughs + patrols,
        code="110000",
        polygon=((west, south), (east, south), (east, north), (west, north), (west, south)),
    )


def open_deployment(journal: Journal, deployment: Deployment, network: Network, *, simulated: bool) -> int:
    """Open areas, posts and units that the journal does not hold yet; returns how many commands it took."""
    commands = list(_commands(deployment, network, simulated))
    missing = [c for c in commands if journal.find(c.record_id) is None]
    for start in range(0, len(missing), 200):
        journal.submit_many(missing[start : start + 200])
    return len(missing)


def _commands(deployment: Deployment, network: Network, simulated: bool) -> Iterable[Command]:
    actor = SIMULATED_SYSTEM if simulated else SYSTEM

    def opened(kind: str, record_id: str, data: Mapping[str, Any]) -> Command:
        content = sha256_hex(canonical_json([kind, record_id]))[:16]
        return Command(kind, "open", data, actor, f"setup:{record_id}:{content}", record_id)

    yield opened("area", deployment.nation, {"name": deployment.nation_name.as_dict(), "level": "nation"})
    yield opened(
        "area",
        deployment.area,
        {
            "name": deployment.name.as_dict(),
            "level": "city",
            "parent": deployment.nation,
            "timezone": deployment.zone,
            "polygons": [[list(p) for p in deployment.polygon]] if deployment.polygon else [],
            **({"code": deployment.code} if deployment.code else {}),
        },
    )
    for area in network.areas:
        if area.id == deployment.area:
            continue
        yield opened(
            "area",
            area.id,
            {
                "name": area.name.as_dict(),
                "level": "cell",
                "parent": deployment.area,
                "box": [area.west, area.south, area.east, area.north],
            },
        )
    for rank, post in enumerate(deployment.posts):
        data = {"title": post.title.as_dict(), "code": post.code, "area": deployment.area, "rank": rank}
        yield opened("post", post.id, {**data, **({"superior": post.superior} if post.superior else {})})
    for unit in deployment.units:
        yield opened(
            "unit",
            unit.id,
            {
                "name": unit.name.as_dict(),
                "type": unit.type,
                "area": deployment.area,
                "speed_kmh": unit.speed_kmh,
                "status": "free",
                **({"load_capacity_kg": unit.load_capacity_kg} if unit.load_capacity_kg else {}),
                **({"width_m": unit.width_m} if unit.width_m else {}),
            },
        )
