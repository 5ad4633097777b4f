"""From a hierarchy and what one wants to see of it to a finished drawing, for the page and for a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.analysis.diagram.cut import Cut, cut
from explorer.analysis.diagram.placement import Scene, place
from explorer.analysis.diagram.wrapping import wrapped
from explorer.analysis.numbers.overlays import OVERLAYS, Overlay, colour_scale, formatted
from explorer.ui.diagram import svg as diagram_svg
from explorer.ui.diagram.node_facts import Facts, facts
from explorer.ui.diagram.svg import Scale
from explorer.ui.kit import theme

if TYPE_CHECKING:
    from explorer.analysis.structure.hierarchy import Hierarchy, Node

FLOWS = ("rows", "right", "down")  # reading directions, the usual one first
_MAP = "Viridis"
_STEPS = 12  # colours of the legend's bar


@dataclass(frozen=True)
class Wanted:
    """open: ids of open boxes. inside: the box one is in. flow: one of FLOWS.

    overlay: a name, "" for none. ideas: names of those to light up. A name the network does not know is none.
    """

    open: frozenset[str] = frozenset()
    inside: str = "network"
    flow: str = FLOWS[0]
    overlay: str = ""
    ideas: tuple[str, ...] = ()


def check(overlay: str, flow: str) -> None:
    """Raises ValueError, with what there is, for a name that a page would pass over."""
    for what, asked, known in (("a flow", flow, FLOWS), ("an overlay", overlay, ("", *OVERLAYS))):
        if asked not in known:
            raise ValueError(f"{asked!r} is not {what}; try one of {', '.join(filter(None, known))}")


@dataclass(frozen=True)
class Drawing:
    """One scene, painted for the page. tips: by node id, title and rows; around: the open box it lies in.
    names: of all that is drawn, along the graph. digest: the same for equal drawings.

    Shared by all visitors who look at the same thing: read only.
    """

    svg: str
    width: float
    height: float
    tips: Mapping[str, Mapping[str, Any]]
    around: Mapping[str, str]
    names: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    scale: Scale | None

    @cached_property
    def digest(self) -> str:
        return sha256(self.svg.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Prepared:
    view: Cut
    scene: Scene
    facts: Mapping[str, Facts]
    fills: Mapping[str, str]
    scale: Scale | None
    highlighted: frozenset[str]
    legend: tuple[tuple[str, str], ...]


def drawing(
    hierarchy: Hierarchy, wanted: Wanted, measured: Overlay | None = None, title: str = ""
) -> Drawing:
    """For the page: colours by CSS variables. measured: goes before the overlay's name in `wanted`. title:
    for a screen reader, else the network's name.
    """
    made = _prepare(hierarchy, wanted, measured)
    shown = [placed.node.id for placed in made.scene.nodes]
    boxes = {placed.node.id for placed in made.scene.nodes if placed.open}
    around = {each: hierarchy.parents[each] for each in shown if hierarchy.parents.get(each) in boxes}
    return Drawing(
        svg=diagram_svg.svg(
            made.scene,
            facts=made.facts,
            fills=made.fills,
            highlighted=made.highlighted,
            title=title or hierarchy.trace.name,
        ),
        width=made.scene.width,
        height=made.scene.height,
        tips={key: {"title": each.title, "rows": each.rows} for key, each in made.facts.items()},
        around=around,
        names=tuple(node.label for node in made.view.nodes if node.ops),
        legend=made.legend,
        scale=made.scale,
    )


def standalone(
    hierarchy: Hierarchy, wanted: Wanted, title: str, *, measured: Overlay | None = None, dark: bool = False
) -> str:
    """For a file: an SVG that refers to nothing outside itself."""
    made = _prepare(hierarchy, wanted, measured)
    return diagram_svg.svg(
        made.scene,
        facts=made.facts,
        fills=made.fills,
        highlighted=made.highlighted,
        legend=made.legend,
        scale=made.scale,
        title=title,
        standalone=True,
        dark=dark,
    )


def _prepare(hierarchy: Hierarchy, wanted: Wanted, measured: Overlay | None) -> _Prepared:
    view = cut(hierarchy, wanted.open, wanted.inside)
    overlay = measured or OVERLAYS.get(wanted.overlay)
    values = overlay.values(hierarchy, view.nodes) if overlay else {}
    third = {key: formatted(overlay, value) for key, value in values.items()} if overlay else None
    scene = _placed(view, wanted.flow, third)
    known = {placed.node.id: facts(hierarchy, placed.node) for placed in scene.nodes}
    fills, scale = _coloured(overlay, values) if overlay else ({}, None)
    return _Prepared(
        view,
        scene,
        known,
        fills,
        scale,
        _lit(hierarchy, wanted.ideas),
        () if overlay else _legend(view, known),
    )


def _lit(hierarchy: Hierarchy, ideas: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(hierarchy.ideas.get(name, frozenset()) for name in ideas))


def _placed(view: Cut, flow: str, third: Mapping[str, str] | None) -> Scene:
    if flow == "down":
        return place(view, "down", third)
    scene = place(view, "right", third)
    return wrapped(scene) if flow == "rows" else scene


def _coloured(overlay: Overlay, values: Mapping[str, float]) -> tuple[dict[str, str], Scale]:
    """A colour for each node with a value, and the legend."""
    on = colour_scale(values.values(), overlay.scale)
    fills = dict(zip(values, colours(on.position(value) for value in values.values()), strict=True))
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    title = f"{overlay.title}, log scale" if on.kind == "log" else overlay.title
    low, high = formatted(overlay, on.low), formatted(overlay, on.high)
    return fills, Scale(title, low, high, tuple(colours(steps)))


def colours(positions: Iterable[float]) -> list[str]:
    """ "#RRGGBB" for places on the colour map, 0 to 1."""
    from explorer.inference.overlay import colored

    places = np.fromiter(positions, float)
    if not places.size:
        return []
    return ["#" + bytes(row).hex().upper() for row in colored(places[None], _MAP)[0]]


def _legend(view: Cut, known: Mapping[str, Facts]) -> tuple[tuple[str, str], ...]:
    """The colours a reader sees on cards and in the bars of closed boxes, in the order of the table."""
    seen = {node.kind for node in view.nodes if node.leaf and node.ops}
    seen |= {kind for node in view.nodes if not node.leaf for kind, _ in known[node.id].mix}
    seen -= {"input", "output", "other"}
    return tuple((kind, theme.ROLE_NAMES[kind]) for kind in theme.ROLES if kind in seen)


def index(hierarchy: Hierarchy) -> list[tuple[str, str, str]]:
    """Every node for the search: id, id of the box around it, the words by which it is found."""
    return [
        (node.id, hierarchy.parents.get(node.id, ""), _words(node))
        for node in hierarchy.root.walk()
        if node is not hierarchy.root
    ]


def _words(node: Node) -> str:
    times = f"× {node.count}" if node.kind == "fold" else ""
    kind = theme.ROLE_NAMES.get(node.kind, node.kind)
    return " ".join(each for each in (node.label, times, node.detail, kind, node.path or node.id) if each)
