"""The items of one frame in layers along the flow, and slots for what passes a layer by.

A frame is the inside of one open box. An item is a node, an open box, or a port on the frame's border. Links
run from earlier layers to later ones. A tensor that passes layers takes a slot in each, so that later steps
see links between neighbouring layers only; all its readers share the slots, as a bus does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

LANE = 6.0  # free on each side of a line
_LINK_GAIN = 0.25  # how much a link counts against an operation when the main way is chosen
_SKIP_LOSS = 2.0


@dataclass(frozen=True)
class Item:
    """Sizes in pixels along the flow and across it, before and after the line on which the item stands;
    `space` of these is kept free on each side.

    side: -1 for a port where tensors come in, 1 where they go out, 0 for what lies between. order: its place
    in the order of execution.
    """

    id: str
    order: int
    length: float = 0.0
    before: float = LANE
    after: float = LANE
    space: float = LANE
    side: int = 0


class Link(NamedTuple):
    """`size` elements of `tensor` from one item to another, both by number."""

    tensor: str
    source: int
    target: int
    size: int
    skip: str = ""


@dataclass
class Grid:
    """Units, which are the items and after them the slots, each in its layer, with its neighbours."""

    items: Sequence[Item]
    layer: list[int]
    length: list[float]
    before: list[float]
    after: list[float]
    order: list[int]
    gain: list[float]  # of an item: how large its result is, compared with the largest of the frame
    earlier: list[dict[int, float]]  # neighbours in the layer before, with what the step from them gains
    later: list[list[int]]
    skips: set[tuple[int, int]] = field(default_factory=set)  # pairs of units that a skip joins
    slots: dict[tuple[int, str], list[int]] = field(default_factory=dict)  # by source and tensor
    labelled: set[Link] = field(default_factory=set)  # skips whose slots have room for their label
    loops: list[Link] = field(default_factory=list)  # links that run back, and are no steps

    def way(self, link: Link) -> list[int]:
        """The units from a link's source to its target."""
        passed = self.layer[link.target] - self.layer[link.source] - 1
        return [link.source, *self.slots.get((link.source, link.tensor), [])[:passed], link.target]


def grid(items: Sequence[Item], links: Sequence[Link], label: Callable[[str], tuple[float, float]]) -> Grid:
    """label: room that a skip's label takes along and across, (0, 0) for none.

    Where links run in a circle (stages that exchange tensors more than once), some of them become loops.
    """
    layer, back = _layers(items, links)
    loops = [link for link in links if (link.source, link.target) in back]
    links = [link for link in links if (link.source, link.target) not in back]
    largest = max((link.size for link in links), default=1) or 1
    count = len(items)
    made = Grid(
        items,
        layer,
        [item.length for item in items],
        [item.before for item in items],
        [item.after for item in items],
        [item.order for item in items],
        [0.0] * count,
        [{} for _ in items],
        [[] for _ in items],
        loops=loops,
    )
    readers: dict[tuple[int, str], list[Link]] = {}
    inputs: list[list[Link]] = [[] for _ in items]
    for link in links:
        inputs[link.target].append(link)
        readers.setdefault((link.source, link.tensor), []).append(link)
    for key, found in readers.items():
        found.sort(key=lambda link: layer[link.target])
        part = max(link.size for link in found) / largest
        if items[key[0]].side == 0:
            made.gain[key[0]] = max(made.gain[key[0]], part)
        _add_slots(made, key, found, label)
        for link in found:
            _join(made, link, part, inputs[link.target])
    for number, item in enumerate(items):  # what nobody reads still counts as a step
        if item.side == 0:
            made.gain[number] += 1e-3
    return made


def _layers(items: Sequence[Item], links: Sequence[Link]) -> tuple[list[int], set[tuple[int, int]]]:
    """By the longest way from the start; what no input feeds stands right before what reads it. Also the
    (source, target) of what runs back."""
    done, back = _in_order(items, links)
    targets: list[list[int]] = [[] for _ in items]
    for link in links:
        if (link.source, link.target) not in back:
            targets[link.source].append(link.target)
    read = {target for found in targets for target in found}
    starts = [n for n, item in enumerate(items) if item.side < 0]
    layer = [1 if starts and item.side >= 0 else 0 for item in items]
    fed = set(starts or sorted(set(done) - read, key=lambda n: items[n].order)[:1])
    for here in done:
        for target in targets[here]:
            layer[target] = max(layer[target], layer[here] + 1)
            if here in fed:
                fed.add(target)
    for here in reversed(done):
        if here not in fed and targets[here]:
            layer[here] = min(layer[target] for target in targets[here]) - 1
    for here in done:
        if here not in fed and not targets[here]:
            layer[here] = max(layer)
    last = max((at for at, item in zip(layer, items, strict=True) if item.side <= 0), default=0) + 1
    return [last if item.side > 0 else at for at, item in zip(layer, items, strict=True)], back


def _in_order(items: Sequence[Item], links: Sequence[Link]) -> tuple[list[int], set[tuple[int, int]]]:
    """Items so that links run forth, and what runs back all the same: where all that is left waits for each
    other, the first in the order of execution goes on."""
    targets: list[list[int]] = [[] for _ in items]
    waiting: list[set[int]] = [set() for _ in items]
    for link in links:
        if link.source not in waiting[link.target]:
            targets[link.source].append(link.target)
            waiting[link.target].add(link.source)
    ready = [n for n, found in enumerate(waiting) if not found]
    done: list[int] = []
    back: set[tuple[int, int]] = set()
    left = dict.fromkeys(sorted(range(len(items)), key=lambda n: (items[n].order, n)))
    while left:
        if not ready:
            stuck = next(iter(left))
            back |= {(source, stuck) for source in waiting[stuck]}
            waiting[stuck].clear()
            ready.append(stuck)
        here = ready.pop()
        del left[here]
        done.append(here)
        for target in targets[here]:
            if here in waiting[target]:
                waiting[target].discard(here)
                if not waiting[target]:
                    ready.append(target)
    return done, back


def _add_slots(
    made: Grid, key: tuple[int, str], links: Sequence[Link], label: Callable[[str], tuple[float, float]]
) -> None:
    source, _ = key
    start, end = made.layer[source] + 1, made.layer[links[-1].target]
    slots = list(range(len(made.layer), len(made.layer) + end - start))
    if not slots:
        return
    along, across, labelled = 0.0, 0.0, 0
    for link in links:
        passed = made.layer[link.target] - start
        if passed > 0 and link.skip and label(link.skip)[0]:
            (along, across), labelled = label(link.skip), passed
            made.labelled.add(link)
            break
    made.slots[key] = slots
    made.layer += range(start, end)
    made.length += [along / labelled if n < labelled else 0.0 for n in range(len(slots))]
    made.before += [LANE + across if n < labelled else LANE for n in range(len(slots))]
    made.after += [LANE] * len(slots)
    made.order += [made.order[source]] * len(slots)
    made.gain += [0.0] * len(slots)
    made.earlier += [{} for _ in slots]
    made.later += [[] for _ in slots]


def _join(made: Grid, link: Link, part: float, inputs: Sequence[Link]) -> None:
    """Where several tensors meet, the largest gains, for a gate is not the main way; a skip loses, unless all
    of them are skips."""
    way = made.way(link)
    inside = made.items[link.target].side == 0
    for one, other in pairwise(way):
        gain = 0.0
        if other == link.target and inside:
            gain = _LINK_GAIN * part if len(inputs) > 1 else 0.0
            if link.skip:
                gain -= 0.0 if all(each.skip for each in inputs) else _SKIP_LOSS
                made.skips.add((one, other))
        if one in made.earlier[other]:
            gain = max(gain, made.earlier[other][one])
        else:
            made.later[one].append(other)
        made.earlier[other][one] = gain
