"""Which operations make a layer's output, read in the trace: back from the last one through those that change
single numbers or only move them, to the one that gathers from several places.

What an operation does with places is what its rule in `analysis.field` says, so a new rule there is followed
here by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from explorer.analysis.field import mixing, views
from explorer.analysis.field.rules import RULES
from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.graph.roles import words
from explorer.inference.arithmetic.gathering import GATHERING

Kind = Literal["moves", "changes", "normalises", "gathers"]

_ADDS_UP = words("col2im output")  # in the room of views, but not a mere move


@dataclass(frozen=True)
class Link:
    """An operation on the way. main: place among its operands of the number that it changes. follows: places
    of those that are opened further.
    """

    op: Op
    kind: Kind
    main: int = 0
    follows: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[int, ...]:
        """Places of the operands whose values are needed."""
        if self.kind in ("gathers", "normalises"):  # a norm measures all that it normalises
            return tuple(range(len(self.op.operands)))
        return tuple(place for place in range(len(self.op.operands)) if place not in self.follows)


def last_operation(trace: Trace, path: str) -> Op | None:
    """The one whose result the module at this path gives out, as a rule: its last that depends on the
    picture, of a table of positions its last."""
    parts = tuple(path.split("."))
    inside = [op for op in trace.ops if op.path[: len(parts)] == parts and op.kind != "output"]
    live = [op for op in inside if not op.static]
    return next(reversed(live or inside), None)


def links(trace: Trace, start: Op) -> Mapping[str, Link]:
    """What makes the result of `start`, by id; empty where nothing is known about it."""
    by_id = trace.by_id()
    found: dict[str, Link] = {}
    waiting = [start.id]
    while waiting:
        op = by_id[waiting.pop()]
        if op.id in found or (link := _link(op, by_id)) is None:
            continue
        found[op.id] = link
        waiting += [op.operands[place].source for place in link.follows]
        if link.kind == "gathers":
            for each in _beside(op.operands[0].source, by_id):
                found.setdefault(each.op.id, each)
    return found


def _link(op: Op, by_id: Mapping[str, Op]) -> Link | None:
    kind = _kind(op)
    if kind is None:
        return None
    if kind == "gathers":
        return Link(op, kind)
    of_image = [place for place, operand in enumerate(op.operands) if _of_image(operand.source, by_id)]
    if kind == "moves":
        chosen = of_image
    elif kind == "normalises":
        chosen = of_image[:1]
    else:
        chosen = _main(op, of_image, by_id)
    opened = (place for place in chosen if _kind(by_id[op.operands[place].source]) is not None)
    return Link(op, kind, chosen[0] if chosen else 0, tuple(opened))


def _kind(op: Op) -> Kind | None:
    name = op.name.removesuffix("_")
    if name in GATHERING:
        return "gathers"
    if name == "getitem":
        return "moves"
    rule = RULES.get(name)
    if rule is mixing.elementwise:
        return "changes"
    if rule is mixing.normalisation:
        return "normalises"
    return (
        "moves" if rule is not None and rule.__module__ == views.__name__ and name not in _ADDS_UP else None
    )


def _of_image(source: str, by_id: Mapping[str, Op]) -> bool:
    return source in by_id and not by_id[source].static


def _main(op: Op, places: Collection[int], by_id: Mapping[str, Op]) -> list[int]:
    """Of several numbers the one to follow: at this operation's own places (a gate has none), and with the
    most operations of its own behind it, so that a shortcut is a number and the branch is opened."""
    whole = [p for p in places if prod(op.operands[p].shape) == prod(op.output_shape)] or list(places)
    if len(whole) < 2:
        return whole
    behind = {place: set(_behind(op.operands[place].source, by_id)) for place in whole}

    def own(place: int) -> int:
        return len(behind[place].difference(*(behind[other] for other in whole if other != place)))

    return [max(whole, key=own)]


def _behind(source: str, by_id: Mapping[str, Op]) -> Iterator[str]:
    """The operation and all that it depends on."""
    seen, waiting = {source}, [source]
    while waiting:
        here = waiting.pop()
        yield here
        new = [each for each in by_id[here].inputs if each not in seen]
        seen.update(new)
        waiting += new


def _beside(source: str, by_id: Mapping[str, Op]) -> list[Link]:
    """Moves from a gathering operation back to another: where padding was added, and whether attention made
    its input."""
    path: list[Link] = []
    while _of_image(source, by_id):
        op = by_id[source]
        kind = _kind(op)
        if kind == "gathers":
            return [*path, Link(op, kind)] if op.kind == "attention" else path
        of_image = [p for p, operand in enumerate(op.operands) if _of_image(operand.source, by_id)]
        if kind != "moves" or len(of_image) != 1:
            return path
        path.append(Link(op, kind, of_image[0], (of_image[0],)))
        source = op.operands[of_image[0]].source
    return path
