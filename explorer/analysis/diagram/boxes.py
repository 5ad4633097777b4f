"""How large a box of the diagram is, and where its lines of text stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from explorer.analysis.diagram.geometry import Box, Label, fit, text_width
from explorer.analysis.structure.hierarchy import Node

TITLE = 28.0  # the band with the name of an open box
CHEVRON = 20.0  # what opens and closes a box, in its upper right corner
_BETWEEN = 8.0  # between two texts in one line


@dataclass(frozen=True)
class BoxStyle:
    """Sizes of one kind of card in pixels. foot: kept free for the bar that shows what a box is made of."""

    name_size: float
    detail_size: float
    least: float
    most: float
    left: float = 12.0
    right: float = 12.0
    top: float = 7.0
    foot: float = 14.0

    @property
    def line(self) -> float:
        return self.detail_size + 4.0

    @property
    def lead(self) -> float:
        """Height of the first line."""
        return self.name_size + 4.0


SMALLEST = 11.0  # pixels of the smallest text of a drawing at its own size
_STAGE = BoxStyle(14.0, 11.5, 116.0, 210.0, top=9.0)
_BOX = BoxStyle(12.5, SMALLEST, 92.0, 190.0)
_PILL = BoxStyle(11.5, SMALLEST, 46.0, 150.0, left=10.0, right=6.0, top=5.0, foot=5.0)
_PORT = BoxStyle(12.0, SMALLEST, 46.0, 150.0, left=9.0, right=9.0, top=5.0, foot=5.0)


def style_of(node: Node) -> BoxStyle:
    if node.kind in ("input", "output"):
        return _PORT
    if node.leaf:
        return _PILL
    return _STAGE if node.kind in ("network", "stage") else _BOX


def lines(node: Node, third: str) -> tuple[str, ...]:
    """Below the name: its detail, then `third`, or for a fold what is not the same in all members."""
    own = third
    if not own and node.differs:
        own = "differ: " + ", ".join(text.partition(":")[0] for text in node.differs)
    return tuple(text for text in (node.detail, own) if text)


def size(node: Node, third: str = "") -> tuple[float, float]:
    """Width and height of a closed node."""
    kind = style_of(node)
    widths = [text_width(node.label, kind.name_size, bold=True) + _corner(node, kind)]
    widths += [text_width(text, kind.detail_size, bold=text == third) for text in lines(node, third)]
    width = min(max(max(widths) + kind.left + kind.right, kind.least), kind.most)
    return width, kind.top + kind.lead + kind.line * len(lines(node, third)) + kind.foot


def even_sizes(
    nodes: Iterable[Node], third: Mapping[str, str], direction: str
) -> dict[str, tuple[float, float]]:
    """Sizes by node id: cards of one sort that stand in one frame are equally large across the flow, and
    boxes along it too."""
    found = {node.id: (style_of(node), size(node, third.get(node.id, ""))) for node in nodes}
    widest: dict[BoxStyle, tuple[float, float]] = {}
    for kind, (width, height) in found.values():
        most = widest.get(kind, (0.0, 0.0))
        widest[kind] = max(width, most[0]), max(height, most[1])
    sizes = {}
    for key, (kind, (width, height)) in found.items():
        whole = kind in (_STAGE, _BOX)
        sizes[key] = (
            widest[kind][0] if whole or direction == "down" else width,
            widest[kind][1] if whole or direction == "right" else height,
        )
    return sizes


def labels(node: Node, box: Box, third: str = "") -> tuple[Label, ...]:
    """Text of a closed node, the block of lines in the middle of its height."""
    kind = style_of(node)
    below = lines(node, third)
    spare = box.height - kind.top - kind.lead - kind.line * len(below) - kind.foot
    y = box.y + kind.top + spare / 2 + kind.name_size
    left, inner = box.x + kind.left, box.width - kind.left - kind.right + 0.01
    room = inner - _corner(node, kind)
    found = [Label(fit(node.label, room, kind.name_size, bold=True), left, y, kind.name_size, "name")]
    if times := _times(node):
        end = box.right - (CHEVRON + 2.0)
        found.append(Label(times, end, y, kind.name_size, "times", "end"))
    for text in below:
        y += kind.line
        style = "third" if text == third else "detail"
        shown = fit(text, inner, kind.detail_size, bold=style == "third")
        found.append(Label(shown, left, y, kind.detail_size, style))
    return tuple(found)


def title_width(node: Node) -> float:
    """What an open box wants for its name, from its left edge."""
    return min(text_width(_title(node), _BOX.name_size, bold=True), 170.0) + _BOX.left + _BETWEEN


def title(node: Node, box: Box, free: float, third: str = "") -> tuple[Label, ...]:
    """Text of an open box in the first `free` pixels of its title band; the detail only where it fits."""
    x, y = box.x + _BOX.left, box.y + TITLE / 2 + 5.0
    end = box.x + min(free, box.width - CHEVRON) - _BETWEEN
    name = fit(_title(node), end - x, _BOX.name_size, bold=True)
    found = [Label(name, x, y, _BOX.name_size, "name")]
    x += text_width(name, _BOX.name_size, bold=True) + _BETWEEN
    for text, style in ((third, "third"), (node.detail, "detail")):
        width = text_width(text, _BOX.detail_size, bold=style == "third")
        if text and x + width <= end:
            found.append(Label(text, x, y, _BOX.detail_size, style))
            x += width + _BETWEEN
    return tuple(found)


def _title(node: Node) -> str:
    return f"{node.label} {times}" if (times := _times(node)) else node.label


def _times(node: Node) -> str:
    return f"× {node.count}" if node.count > 1 else ""


def _corner(node: Node, kind: BoxStyle) -> float:
    """Width at the end of the first line that does not belong to the name."""
    if node.leaf:
        return 0.0
    times = _times(node)
    used = text_width(times, kind.name_size, bold=True) + _BETWEEN if times else 0.0
    return used + CHEVRON + 2.0 - kind.right
