"""The block diagram as SVG text, for the page and for a file: one painter, two sets of colours.

Inside the page every colour is a CSS variable, so that light and dark need no second drawing. A file that
stands alone carries its styles, written out for one theme, its font, its title and its legend; it has no
script and refers to nothing outside. All text comes from strangers' modules, so all of it is escaped here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from explorer.ui.diagram import font
from explorer.ui.kit import theme

if TYPE_CHECKING:
    from explorer.analysis.diagram.geometry import Box, Label
    from explorer.analysis.diagram.placement import PlacedEdge, PlacedNode, Scene
    from explorer.ui.diagram.node_facts import Facts

FONT = f'"{font.FAMILY}", "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif'
_RADIUS, _TURN, _SKIP_TURN = 8.0, 8.0, 22.0  # corners of cards, of edges, of skips
_STRIPE, _MIX = 5.0, 5.0  # thickness of the role's stripe and of the bar that shows what a box is made of
_BEHIND = 3.0  # pixels by which each card of a stack shows behind the one before it
_FINER = 0.8  # of the width that the layout keeps free for a line
_MARGIN = 24.0  # around a drawing that stands alone
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
_TINT = 0.13  # how much of the role's colour fills its card


@dataclass(frozen=True)
class Scale:
    """Legend of an overlay: what is shown, the two ends with their units, the colours from low to high."""

    title: str
    low: str
    high: str
    colours: tuple[str, ...]


def variables(dark: bool | None) -> Mapping[str, str]:
    """CSS colours by the names that the style sheet uses; for both themes at once where `dark` is None."""
    return {
        name: f"light-dark({colour.light}, {colour.dark})" if dark is None else colour.on(dark=dark)
        for name, colour in _COLOURS.items()
    }


def svg(
    scene: Scene,
    *,
    facts: Mapping[str, Facts],
    fills: Mapping[str, str] | None = None,
    highlighted: frozenset[str] = frozenset(),
    legend: Sequence[tuple[str, str]] = (),
    scale: Scale | None = None,
    title: str = "",
    standalone: bool = False,
    dark: bool = False,
) -> str:
    """The scene as one `<svg>` element.

    facts: by node id, for the labels of a screen reader and the bars of closed boxes. fills: "#RRGGBB" by
    node id, an overlay; `scale` explains it. highlighted: ids of operations to point out. legend: kinds and
    names. Title, legend and scale are drawn, and `dark` counts, only where the picture stands alone.
    """
    colours = {**variables(dark), "font": FONT} if standalone else None
    paint = _Painter(facts, fills or {}, highlighted, colours)
    marked = (" marked" if highlighted else "") + (" coloured" if fills else "")
    body = f'<g class="scene{marked}">{paint.scene(scene)}</g>'
    label = _attribute(title or "Network")
    if colours is None:
        return f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-label="{label}">{body}</svg>'
    head, foot = (34.0 if title else 0.0), (38.0 if legend or scale else 0.0)
    inner = max(scene.width, _legend_width(legend, scale))
    width, height = inner + 2 * _MARGIN, scene.height + head + foot + 2 * _MARGIN
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    parts = [
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}"/>',
    ]
    if title:
        parts.append(
            f'<g class="scene"><text class="title" x="{_MARGIN}" y="{_MARGIN + 16}" font-size="20">'
            f"{_text(title)}</text></g>"
        )
    parts.append(f'<g transform="translate({_MARGIN} {_n(_MARGIN + head)})">{body}</g>')
    parts.append(
        f'<g class="scene" transform="translate({_MARGIN} {_n(_MARGIN + head + scene.height + 22)})">'
        f"{_legend(legend, scale, colours)}</g></svg>"
    )
    drawn = "".join(parts)
    styles = font.face(drawn) + _written_out(theme.asset("diagram/svg.css"), colours)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
        f"<title>{_text(title or 'Network')}</title><style>{styles}</style>{drawn}"
    )


class _Painter:
    def __init__(
        self,
        facts: Mapping[str, Facts],
        fills: Mapping[str, str],
        highlighted: frozenset[str],
        colours: Mapping[str, str] | None,
    ) -> None:
        self.facts, self.fills, self.highlighted, self.colours = facts, fills, highlighted, colours

    def role(self, layer: str, kind: str) -> str:
        """Colour of a kind of operation, full ("kind") or pale ("tint")."""
        name = f"{layer}-{kind if kind in theme.ROLES else 'other'}"
        return f"var(--{name})" if self.colours is None else self.colours[name]

    def scene(self, scene: Scene) -> str:
        """Open boxes lie at the bottom, then what flows, then the cards."""
        boxes = [self.node(each) for each in scene.nodes if each.open]
        cards = [self.node(each) for each in scene.nodes if not each.open]
        return "".join([*boxes, *(self.edge(each) for each in scene.edges), *cards])

    def node(self, placed: PlacedNode) -> str:
        node, box = placed.node, placed.box
        live = self.colours is None  # in a file there is nothing to click
        expands = f' aria-expanded="{str(placed.open).lower()}"' if node.children and live else ""
        role = "button" if live else "img"
        head = (
            f'<g class="{self._classes(placed)}" data-id="{_attribute(node.id)}" '
            f'data-box="{_n(box.x)} {_n(box.y)} {_n(box.width)} {_n(box.height)}" tabindex="-1" role="{role}"'
            f'{expands} aria-label="{_attribute(self._spoken(placed))}">'
        )
        ink = ""
        if fill := self.fills.get(node.id):
            ink = f' style="fill:{theme.ink_on(fill)}"'
        labels = " ".join(_label(each, ink) for each in placed.labels)
        chevron = self._chevron(placed) if node.children and live else ""
        return head + self._card(placed) + labels + chevron + "</g>"

    def _spoken(self, placed: PlacedNode) -> str:
        """Holds the words on the card: who steers by voice says what he reads there."""
        known = self.facts.get(placed.node.id)
        spoken = known.spoken if known else placed.node.label
        written = " ".join(each.text for each in placed.labels)
        return spoken if written in spoken else f"{written}; {spoken}"

    def _classes(self, placed: PlacedNode) -> str:
        node = placed.node
        words = ["node", f"kind-{node.kind}"]
        if placed.open:
            words += ["open", f"depth{min(placed.depth, 3)}"]
        words += ["port"] if not node.ops else []
        words += ["key"] if self.highlighted.intersection(node.ops) else []
        return " ".join(words)

    def _card(self, placed: PlacedNode) -> str:
        box, node = placed.box, placed.node
        fill = self.fills.get(node.id)
        parts = []
        if node.kind == "fold" and not placed.open:
            for step in (2, 1):
                shift = step * _BEHIND
                parts.append(_rect("behind", box.x + shift, box.y - shift, box.width, box.height))
        style = f' style="fill:{fill}"' if fill else ""
        if not fill and node.leaf and node.ops:
            style = f' style="fill:{self.role("tint", node.kind)}"'
        parts.append(_rect("card", box.x, box.y, box.width, box.height, style))
        if node.leaf and node.ops and not placed.open:
            parts.append(_stripe(box, self.role("kind", node.kind)))
        elif node.ops and not placed.open and not fill and node.id in self.facts:
            parts.append(self._mix(placed))
        return "".join(parts)

    def _mix(self, placed: PlacedNode) -> str:
        """Along the lower edge of a closed box: the roles inside by their share of its work."""
        box = placed.box
        left, width = box.x + _RADIUS, box.width - 2 * _RADIUS
        y = box.y + box.height - _MIX - 4
        parts = []
        for kind, part in self.facts[placed.node.id].mix:
            parts.append(
                f'<rect class="mix" x="{_n(left)}" y="{_n(y)}" width="{_n(width * part)}" height="{_MIX}" '
                f'style="fill:{self.role("kind", kind)}"/>'
            )
            left += width * part
        return "".join(parts)

    def _chevron(self, placed: PlacedNode) -> str:
        x, y = placed.box.x + placed.box.width - 12, placed.box.y + 12
        sign = f"M{_n(x - 3.5)},{_n(y)}h7" + ("" if placed.open else f"M{_n(x)},{_n(y - 3.5)}v7")
        return f'<g class="chevron"><circle cx="{_n(x)}" cy="{_n(y)}" r="7"/><path d="{sign}"/></g>'

    def edge(self, placed: PlacedEdge) -> str:
        edge = placed.edge
        words = ["edge"] + (["skip", edge.skip] if edge.skip else [])
        if self.highlighted and self._key(placed):
            words.append("key")
        line, tip = _path(placed)
        shape = " × ".join(str(n) for n in edge.shape[1:])
        label = _label(placed.label, "") if placed.label else ""
        return (
            f'<g class="{" ".join(words)}" data-source="{_attribute(edge.source)}" '
            f'data-target="{_attribute(edge.target)}" data-shape="{shape}">'
            f'<path class="flow" d="{line}" stroke-width="{_n(_FINER * placed.width)}"/>'
            f'<path class="head" d="{tip}"/>{label}</g>'
        )

    def _key(self, placed: PlacedEdge) -> bool:
        """A skip is part of the idea when it leads to an operation that is."""
        targets = {target for _, target in placed.edge.ops}
        return bool(placed.edge.skip and targets & self.highlighted)


def _path(placed: PlacedEdge) -> tuple[str, str]:
    """The line with rounded corners, shortened by its head, and the head."""
    points = [tuple(point) for point in placed.points]
    length = 5.0 + 1.6 * placed.width
    (ax, ay), (bx, by) = points[-2], points[-1]
    reach = math.hypot(bx - ax, by - ay) or 1.0
    ux, uy = (bx - ax) / reach, (by - ay) / reach
    length = min(length, reach)
    neck = (bx - ux * length, by - uy * length)
    half = 2.4 + 0.9 * placed.width
    tip = (
        f"M{_n(bx)},{_n(by)}L{_n(neck[0] - uy * half)},{_n(neck[1] + ux * half)}"
        f"L{_n(neck[0] + uy * half)},{_n(neck[1] - ux * half)}z"
    )
    corners = [*points[:-1], (neck[0] + ux * 0.5, neck[1] + uy * 0.5)]
    return _rounded(corners, _SKIP_TURN if placed.edge.skip else _TURN), tip


def _rounded(corners: Sequence[tuple[float, ...]], radius: float) -> str:
    """Each inner corner is cut by a quadratic curve, at most half of the shorter side away from it."""
    parts = [f"M{_n(corners[0][0])},{_n(corners[0][1])}"]
    for before, at, after in zip(corners, corners[1:], corners[2:], strict=False):
        cut = min(radius, math.dist(before, at) / 2, math.dist(at, after) / 2)
        one, other = _towards(at, before, cut), _towards(at, after, cut)
        parts.append(f"L{one}Q{_n(at[0])},{_n(at[1])} {other}")
    parts.append(f"L{_n(corners[-1][0])},{_n(corners[-1][1])}")
    return "".join(parts)


def _towards(start: tuple[float, ...], end: tuple[float, ...], distance: float) -> str:
    whole = math.dist(start, end) or 1.0
    part = distance / whole
    return f"{_n(start[0] + (end[0] - start[0]) * part)},{_n(start[1] + (end[1] - start[1]) * part)}"


def _rect(name: str, x: float, y: float, width: float, height: float, style: str = "") -> str:
    return (
        f'<rect class="{name}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
        f'rx="{_RADIUS:g}"{style}/>'
    )


def _stripe(box: Box, fill: str) -> str:
    """The left edge of an operation's card in its role's colour, its outer corners round like the card's."""
    r = _RADIUS
    left, top, bottom, right = box.x, box.y, box.y + box.height, box.x + _STRIPE
    inset = r - math.sqrt(max(0.0, r * r - (r - _STRIPE) ** 2))
    d = (
        f"M{_n(right)},{_n(top + inset)}A{r:g},{r:g} 0 0 0 {_n(left)},{_n(top + r)}V{_n(bottom - r)}"
        f"A{r:g},{r:g} 0 0 0 {_n(right)},{_n(bottom - inset)}z"
    )
    return f'<path class="stripe" d="{d}" style="fill:{fill}"/>'


def _label(label: Label, ink: str) -> str:
    anchor = f' text-anchor="{label.anchor}"' if label.anchor != "start" else ""
    return (
        f'<text class="{label.style}" x="{_n(label.x)}" y="{_n(label.y)}" font-size="{_n(label.size)}"'
        f"{anchor}{ink}>{_text(label.text)}</text>"
    )


def _legend_width(legend: Sequence[tuple[str, str]], scale: Scale | None) -> float:
    names = sum(_swatch_width(name) for _, name in legend)
    return names + (420.0 if scale else 0.0)


def _swatch_width(name: str) -> float:
    return 34 + 7.0 * len(name)


def _legend(legend: Sequence[tuple[str, str]], scale: Scale | None, colours: Mapping[str, str]) -> str:
    parts, x = [], 0.0
    for kind, name in legend:
        fill = colours.get(f"kind-{kind}", colours["muted"])
        parts.append(f'<rect x="{_n(x)}" y="0" width="12" height="12" rx="3" fill="{fill}"/>')
        parts.append(f'<text x="{_n(x + 18)}" y="10.5" font-size="13">{_text(name)}</text>')
        x += _swatch_width(name)
    if scale:
        parts.append(
            f'<text x="{_n(x)}" y="10.5" font-size="13">{_text(f"{scale.title}: {scale.low}")}</text>'
        )
        x += 20 + 7.0 * len(f"{scale.title}: {scale.low}")
        step = 120 / len(scale.colours)
        for number, fill in enumerate(scale.colours):
            left, wide = _n(x + number * step), _n(step + 0.5)
            parts.append(f'<rect x="{left}" y="0" width="{wide}" height="12" fill="{fill}"/>')
        parts.append(f'<text x="{_n(x + 128)}" y="10.5" font-size="13">{_text(scale.high)}</text>')
    return "".join(parts)


def _written_out(sheet: str, colours: Mapping[str, str]) -> str:
    """The style sheet with its variables replaced, as many viewers know none, and without comments."""
    bare = re.sub(r"/\*.*?\*/\s*", "", sheet, flags=re.DOTALL)
    return re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], bare)


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("", text))


def _attribute(text: str) -> str:
    return escape(_ILLEGAL.sub("", text), {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def _n(value: float) -> str:
    """Half a pixel is 0.5, a whole one has no dot."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _mixed(one: theme.Colour, other: theme.Colour, part: float) -> theme.Colour:
    """`part` of the one in the other, in each theme."""
    return theme.Colour(_blend(one.light, other.light, part), _blend(one.dark, other.dark, part))


def _blend(one: str, other: str, part: float) -> str:
    pairs = zip(bytes.fromhex(one.lstrip("#")), bytes.fromhex(other.lstrip("#")), strict=True)
    return "#" + "".join(f"{round(part * a + (1 - part) * b):02X}" for a, b in pairs)


_COLOURS: Mapping[str, theme.Colour] = {
    "page": theme.BACKGROUND,
    "text": theme.TEXT,
    "muted": _mixed(theme.TEXT, theme.BACKGROUND, 0.68),
    "flow": _mixed(theme.TEXT, theme.BACKGROUND, 0.45),
    "edge": _mixed(theme.TEXT, theme.BACKGROUND, 0.32),
    "line": theme.LINE,
    "card": _mixed(theme.SURFACE, theme.BACKGROUND, 0.55),
    "accent": theme.ACCENT,
    **{f"box{n}": _mixed(theme.ACCENT, theme.BACKGROUND, 0.045 + 0.05 * n) for n in range(4)},
    **{f"kind-{kind}": colour for kind, colour in theme.ROLES.items()},
    **{f"tint-{kind}": _mixed(colour, theme.BACKGROUND, _TINT) for kind, colour in theme.ROLES.items()},
}
