"""Where everything of the stage diagram lies: cards, labels, bars, volumes, arrows; pure geometry in pixels.

Python lays out, the browser only paints. So a test can prove that nothing overlaps, and the same layout can
be written to a file. It is made for several widths; the browser takes the widest that fits its column.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from explorer.analysis.diagram.geometry import Box, Label, fit, text_width

MIN_CARD, MAX_CARD = 98.0, 184.0  # the width of a stage
PORT_CARD = 78.0  # the width of the input and of the output
CARD_HEIGHT = 206.0
PADDING, GAP, ROW_GAP, MARGIN = 9.0, 16.0, 28.0, 12.0
VOLUME_HEIGHT, FLOW_Y = 80.0, 48.0  # the strip at the top of a card that holds the volume; the arrows in it
_SLANT = 0.36  # how far the third axis of a volume recedes
_FACE, _DEPTH = 46.0, 50.0  # height of the input's volume, width of the volume with most channels


@dataclass(frozen=True)
class StageCard:
    """One stop of the tensor: what stands there and what it costs.

    `params_by_kind` and `macs_by_kind` are shares (0-1) of the whole network, kind -> share.
    `skip` says how a block joins what runs beside it: "add" or "concat" its input, or its "branches", of
    which there are `ways`; "" for a plain chain.
    """

    id: str
    name: str
    block: str
    repeats: int
    output_shape: tuple[int, ...]
    lines: tuple[tuple[str, str], ...]  # rows of the tooltip: (what, how much)
    params_by_kind: Mapping[str, float] = field(default_factory=dict)
    macs_by_kind: Mapping[str, float] = field(default_factory=dict)
    params_share: str = ""
    macs_share: str = ""
    shape: str = ""
    skip: str = ""
    ways: int = 1
    port: bool = False  # the input or the output of the network, which cost nothing

    @property
    def main_kind(self) -> str:
        """The kind of operation that does most of the stage's work; it colours the volume."""
        work = self.macs_by_kind or self.params_by_kind
        return max(work, key=lambda kind: work[kind]) if work and max(work.values()) > 0 else "other"


@dataclass(frozen=True)
class Bar:
    """A piece of a share bar, coloured by kind; kind "" is the empty track."""

    box: Box
    kind: str


@dataclass(frozen=True)
class Placed:
    """A card with everything drawn on it. `volume` holds the three visible faces: front, top, side."""

    card: StageCard
    box: Box
    labels: tuple[Label, ...]
    bars: tuple[Bar, ...]
    volume: tuple[tuple[tuple[float, float], ...], ...]
    curves: tuple[
        tuple[tuple[float, float], ...], ...
    ]  # cubic curves of the ways around or beside the volume

    @property
    def flow_y(self) -> float:
        """Height at which the arrows run through the card."""
        return self.box.y + FLOW_Y


@dataclass(frozen=True)
class Layout:
    width: float
    height: float
    cards: tuple[Placed, ...]
    arrows: tuple[tuple[tuple[float, float], ...], ...]  # polylines, the head at the end


def layout(cards: Sequence[StageCard], width: float) -> Layout:
    """Cards from left to right, in as many rows as `width` pixels ask for, each row the same card width."""
    rows = _rows(cards, width)
    margin = MARGIN if len(rows) > 1 else 0.0
    stage_width = min(_stage_width(row, width - 2 * margin) for row in rows)
    placed: list[Placed] = []
    spans: list[tuple[float, float]] = []
    used = 0.0
    for number, row in enumerate(rows):
        x, y = margin, number * (CARD_HEIGHT + ROW_GAP)
        for card in row:
            box = Box(x, y, PORT_CARD if card.port else stage_width, CARD_HEIGHT)
            placed.append(_place(card, box, cards))
            spans.append((x, y))
            x += box.width + GAP
        used = max(used, x - GAP + margin)
    arrows = tuple(_arrow(one.box, other.box, used) for one, other in itertools.pairwise(placed))
    return Layout(used, len(rows) * (CARD_HEIGHT + ROW_GAP) - ROW_GAP, tuple(placed), arrows)


def _needed(cards: Sequence[StageCard]) -> float:
    return sum(PORT_CARD if card.port else MIN_CARD for card in cards) + GAP * max(0, len(cards) - 1)


def _rows(cards: Sequence[StageCard], width: float) -> list[list[StageCard]]:
    """Rows of nearly equal length: the fewest that fit, then evened out so that none is left almost empty."""
    for count in range(1, len(cards) + 1):
        length = math.ceil(len(cards) / count)
        rows = [list(cards[start : start + length]) for start in range(0, len(cards), length)]
        inner = width - (2 * MARGIN if count > 1 else 0)
        if all(_needed(row) <= inner for row in rows):
            return rows
    return [[card] for card in cards]


def _stage_width(row: Sequence[StageCard], inner: float) -> float:
    stages = sum(not card.port for card in row)
    if not stages:
        return MAX_CARD
    free = inner - GAP * (len(row) - 1) - PORT_CARD * (len(row) - stages)
    return max(MIN_CARD, min(MAX_CARD, math.floor(free / stages)))


def _place(card: StageCard, box: Box, cards: Sequence[StageCard]) -> Placed:
    labels, bars = _texts(card, box)
    volume = _volume(card, box, cards)
    return Placed(card, box, labels, bars, volume, _curves(card, box))


def _texts(card: StageCard, box: Box) -> tuple[tuple[Label, ...], tuple[Bar, ...]]:
    if card.port:
        middle = box.x + box.width / 2
        name, shape = fit(card.name, box.width, 13, bold=True), fit(card.shape, box.width, 11)
        top = box.y + VOLUME_HEIGHT
        return (
            Label(name, middle, top + 17, 13, "name", "middle"),
            Label(shape, middle, top + 34, 11, "shape", "middle"),
        ), ()
    left, right, y = box.x + PADDING, box.x + box.width - PADDING, box.y + VOLUME_HEIGHT
    inner = right - left
    times = f"× {card.repeats}" if card.repeats > 1 else ""
    room = inner - (text_width(times, 13, bold=True) + 6 if times else 0)
    labels = [
        Label(fit(card.name, room, 13, bold=True), left, y + 17, 13, "name"),
        Label(fit(card.block, inner, 11), left, y + 33, 11, "block"),
        Label(fit(card.shape, inner, 11), left, y + 49, 11, "shape"),
    ]
    if times:
        labels.append(Label(times, right, y + 17, 13, "times", "end"))
    bars: list[Bar] = []
    rows = (("params", card.params_share, card.params_by_kind), ("MACs", card.macs_share, card.macs_by_kind))
    for number, (what, amount, kinds) in enumerate(rows):
        base = y + 72 + 28 * number
        labels.append(Label(what, left, base, 11, "block"))
        labels.append(Label(amount, right, base, 11, "value", "end"))
        bars.extend(_bar(kinds, left, base + 5, inner))
    return tuple(labels), tuple(bars)


def _bar(kinds: Mapping[str, float], x: float, y: float, width: float) -> list[Bar]:
    """The track stands for the whole network; the filled part is this stage's share of it."""
    bars = [Bar(Box(x, y, width, 5), "")]
    for kind, part in kinds.items():
        if part > 0:
            bars.append(Bar(Box(x, y, width * part, 5), kind))
            x += width * part
    return bars


def _grid(shape: tuple[int, ...]) -> tuple[float, int]:
    """Side length and channels of an activation: [1, C, H, W], tokens [1, N, C], or a vector [1, C]."""
    inner = shape[1:]
    if len(inner) >= 3:
        return math.sqrt(inner[-2] * inner[-1]), inner[-3]
    if len(inner) == 2:
        return math.sqrt(inner[0]), inner[1]
    return 1.0, inner[0] if inner else 1


def _volume(
    card: StageCard, box: Box, cards: Sequence[StageCard]
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The activation as papers draw it: tall with much resolution, long with many channels.

    Both follow the square root, so that 7 × 7 can still be seen beside 224 × 224.
    """
    sides, channels = zip(*(_grid(each.output_shape) for each in cards), strict=True)
    side, depth = _grid(card.output_shape)
    face = max(4.0, _FACE * math.sqrt(side / max(sides)))
    length = max(3.0, _DEPTH * math.sqrt(depth / max(channels)))
    slant = face * _SLANT
    left = box.x + (box.width - length - slant) / 2
    top = box.y + FLOW_Y - (face - slant) / 2
    right, bottom = left + length, top + face
    front = ((left, top), (right, top), (right, bottom), (left, bottom))
    lid = ((left, top), (left + slant, top - slant), (right + slant, top - slant), (right, top))
    side_face = ((right, top), (right + slant, top - slant), (right + slant, bottom - slant), (right, bottom))
    return front, lid, side_face


def _curves(card: StageCard, box: Box) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The way around a block arches over its volume from the card's left to its right; branches fan out."""
    left, right, y = box.x + 12, box.x + box.width - 14, box.y + FLOW_Y
    if not card.skip:
        return ()
    lifts = (-FLOW_Y - 8,) if card.skip != "branches" else _fan(card.ways)
    return tuple(((left, y), (left, y + lift), (right, y + lift), (right, y)) for lift in lifts)


def _fan(ways: int) -> tuple[float, ...]:
    """Heights of the control points of parallel branches, evenly between over and under the volume."""
    top, bottom = -FLOW_Y - 4, VOLUME_HEIGHT - FLOW_Y + 8
    shown = min(max(ways, 2), 6)
    return tuple(top + (bottom - top) * step / (shown - 1) for step in range(shown))


def _arrow(one: Box, other: Box, width: float) -> tuple[tuple[float, float], ...]:
    start, end = (one.x + one.width, one.y + FLOW_Y), (other.x, other.y + FLOW_Y)
    if one.y == other.y:
        return start, end
    gutter = other.y - ROW_GAP / 2
    turn_right, turn_left = min(start[0] + MARGIN - 4, width - 2), 3.0
    return start, (turn_right, start[1]), (turn_right, gutter), (turn_left, gutter), (turn_left, end[1]), end
