"""What a drawing opens with: the stages, and in one of them the block in which the key idea can be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from explorer.analysis.graph.operations import Op
from explorer.analysis.structure.hierarchy import Hierarchy, Node

_ALL = 40  # operations of all stages that hold an idea, up to which all of them are opened
_HANDFUL = 8  # so many come into sight for any block
_PLAIN = ("norm", "activation")  # what a box is named after in full, beside its one layer


@dataclass(frozen=True)
class Opening:
    """open: ids of boxes. centre: id of the one that the reader should look at, "" for the whole."""

    open: frozenset[str] = frozenset()
    centre: str = ""


def opening(hierarchy: Hierarchy, ideas: Iterable[Collection[str]]) -> Opening:
    """What to unfold for these ideas (ids of the operations of each), the most important one first.

    One block that shows as many of them as any does, another for those that it does not show: the first of
    the most usual ones. Where no block holds them, a stage; or all such stages if these are small. Boxes
    whose label says all that is in them stay closed.
    """
    wanted = [frozenset(ids) for ids in ideas]
    lit = frozenset().union(*wanted)
    boxes = _key_boxes(hierarchy, wanted)
    opened: set[str] = set()
    for box in boxes:
        opened.update(hierarchy.ancestors(box.id)[1:], _inside(hierarchy, box, lit))
    return Opening(frozenset(opened), boxes[0].id if boxes else "")


def _key_boxes(hierarchy: Hierarchy, wanted: list[frozenset[str]]) -> list[Node]:
    lit = frozenset().union(*wanted)
    stages = [each for each in hierarchy.root.children if not each.leaf and not lit.isdisjoint(each.ops)]
    if sum(len(stage.ops) for stage in stages) <= _ALL:
        return stages
    homes = [box for stage in stages for box in list(_blocks(stage, lit)) or [stage]]
    found: list[Node] = []
    while wanted:
        shown = {box.id: sum(not ids.isdisjoint(box.ops) for ids in wanted) for box in homes}
        best = [box for box in homes if shown[box.id] == max(shown.values())]
        lit = frozenset().union(*wanted)
        made_of = {box.id: _signature(hierarchy, box, lit) for box in best}
        usual = Counter(made_of.values()).most_common(1)[0][0]
        alike = [box for box in best if made_of[box.id] == usual]
        found.append(min(alike, key=lambda box: max(_HANDFUL, _company(hierarchy, box))))
        wanted = [ids for ids in wanted if ids.isdisjoint(found[-1].ops)]
    return found


def _blocks(node: Node, lit: frozenset[str]) -> Iterator[Node]:
    """The blocks below a node that hold operations of the ideas, in order."""
    for child in node.children:
        if child.kind == "block" and not child.leaf and not lit.isdisjoint(child.ops):
            yield child
        else:
            yield from _blocks(child, lit)


def _signature(hierarchy: Hierarchy, box: Node, lit: frozenset[str]) -> tuple[tuple[object, ...], ...]:
    """What of the idea is in a box, sizes aside."""
    ops = [hierarchy.ops[op] for op in box.ops if op in lit]
    return tuple(sorted((op.kind, op.name, str(op.attributes.get("kernel_size", ""))) for op in ops))


def _company(hierarchy: Hierarchy, box: Node) -> int:
    """How many boxes and operations come into sight when the boxes around it are opened."""
    return sum(len(hierarchy.by_id[each].children) for each in hierarchy.ancestors(box.id)[1:])


def _inside(hierarchy: Hierarchy, box: Node, lit: frozenset[str]) -> Iterable[str]:
    """Itself and the boxes in it that hide something of the idea."""
    yield box.id
    for child in box.children:
        if (
            not child.leaf
            and not lit.isdisjoint(child.ops)
            and not _told(hierarchy.ops[o] for o in child.ops)
        ):
            yield from _inside(hierarchy, child, lit)


def _told(ops: Iterable[Op]) -> bool:
    """Whether a box's label says all that is in it: one layer with its norm and activation."""
    kinds = Counter("layer" if op.weighted else op.kind for op in ops)
    return kinds["layer"] <= 1 and set(kinds) <= {"layer", *_PLAIN}
