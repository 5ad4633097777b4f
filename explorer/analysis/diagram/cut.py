"""What is on the screen: for a set of open boxes the visible nodes, and what flows between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from typing import Any

from explorer.analysis.structure.hierarchy import Hierarchy, Node
from explorer.analysis.structure.op_labels import shape as shape_text

LEVELS = ("stage", "block", "op")


@dataclass(frozen=True)
class Edge:
    """Everything that flows from one visible node to another.

    shape: of its largest tensor. skip: as in `skips.skips`, if all of it passes by something; else "".
    ops: the edges of the trace that it stands for.
    """

    source: str
    target: str
    shape: tuple[int, ...]
    skip: str = ""
    ops: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cut:
    """nodes: closed boxes and leaves below the focus, in the order of execution, and below the root also
    ports ("in:OP", "out:OP"), which stand for what lies outside. open: ids of the open boxes below the
    focus."""

    hierarchy: Hierarchy
    focus: Node
    open: frozenset[str]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def cut(hierarchy: Hierarchy, open_ids: Iterable[str] = (), focus: str = "network") -> Cut:
    """Unknown ids are ignored; an unknown focus is the whole network."""
    inside = hierarchy.by_id.get(focus, hierarchy.root)
    if inside.leaf:
        inside = hierarchy.root
    wanted = frozenset(open_ids)
    opened: set[str] = set()
    visible: list[Node] = []

    def collect(node: Node) -> None:
        for child in node.children:
            if child.id in wanted and not child.leaf:
                opened.add(child.id)
                collect(child)
            else:
                visible.append(child)

    collect(inside)
    home = {op: node.id for node in visible for op in node.ops}
    before, after = _ports(hierarchy, inside, home)
    edges = _edges(hierarchy, home, before, after)
    nodes = (*before.values(), *visible, *after.values())
    return Cut(hierarchy, inside, frozenset(opened), nodes, edges)


def at_level(hierarchy: Hierarchy, level: str) -> frozenset[str]:
    """Boxes to open: none, the stages, or all."""
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not a level; try one of {', '.join(LEVELS)}")
    kinds = {"stage": (), "block": ("stage",), "op": None}[level]
    boxes = [node for node in hierarchy.root.walk() if not node.leaf and node is not hierarchy.root]
    return frozenset(node.id for node in boxes if kinds is None or node.kind in kinds)


def found(hierarchy: Hierarchy, name: str) -> Node:
    """The node of this id, else the largest box or the operation of this module path. ValueError names
    near ones."""
    known = hierarchy.by_id
    if name in known:
        return known[name]
    by_path = {node.path: node for node in reversed(list(hierarchy.root.walk())) if node.path}
    if name in by_path:
        return by_path[name]
    near = get_close_matches(name, [*known, *by_path], n=3) or [n.id for n in hierarchy.root.children]
    raise ValueError(
        f"{name!r} is no part of {hierarchy.trace.name}; try one of {', '.join(dict.fromkeys(near))}"
    )


def opened(hierarchy: Hierarchy, node_id: str) -> frozenset[str]:
    """Boxes to open so that a node is visible; nothing for an unknown one."""
    return frozenset(hierarchy.ancestors(node_id)[1:])


def opened_at(hierarchy: Hierarchy, level: str, names: Iterable[str]) -> frozenset[str]:
    """Boxes to open for a level and for boxes by their id or module path; ValueError for one there is not."""
    boxes = [found(hierarchy, name) for name in names]
    return at_level(hierarchy, level).union(*({each.id} | opened(hierarchy, each.id) for each in boxes))


def to_json(shown: Cut) -> dict[str, Any]:
    """Nodes on the screen, the open boxes they lie in, and edges between nodes; shapes with the batch.

    params and macs of `nodes` sum to those of the focus; `boxes` would count them again.
    """
    around = [shown.hierarchy.by_id[box] for box in shown.hierarchy.by_id if box in shown.open]
    return {
        "nodes": [_node_json(node, shown.hierarchy) for node in shown.nodes],
        "boxes": [_node_json(node, shown.hierarchy) for node in around],
        "edges": [
            {"source": e.source, "target": e.target, "shape": list(e.shape), "skip": e.skip}
            for e in shown.edges
        ],
    }


def _node_json(node: Node, hierarchy: Hierarchy) -> dict[str, Any]:
    params, macs = hierarchy.totals(node)
    last = node.ops[-1] if node.ops else node.id.partition(":")[2]
    return {
        "id": node.id,
        "kind": node.kind,
        "path": node.path,
        "label": node.label,
        "count": node.count,
        "output_shape": list(hierarchy.ops[last].output_shape) if last in hierarchy.ops else [],
        "params": params,
        "macs": macs,
        "parent": hierarchy.parents.get(node.id, ""),
    }


def _ports(
    hierarchy: Hierarchy, focus: Node, home: Mapping[str, str]
) -> tuple[dict[str, Node], dict[str, Node]]:
    """What comes in from outside the focus, by the operation that made it; what goes out, likewise."""
    if focus is hierarchy.root:
        return {}, {}
    where = _places(hierarchy, focus)
    order = {op: number for number, op in enumerate(where)}
    before: dict[str, Node] = {}
    readers: dict[str, list[str]] = defaultdict(list)
    for op in hierarchy.trace.ops:
        for source in op.inputs:
            if op.id in home and source not in home:
                before[source] = _port("in", source, f"from {where[source]}", hierarchy)
            elif source in home and op.id not in home:
                readers[source].append(op.id)
    after = {
        source: _port("out", source, f"to {where[min(those, key=order.__getitem__)]}", hierarchy)
        for source, those in readers.items()
    }
    return before, after


def _port(side: str, op: str, label: str, hierarchy: Hierarchy) -> Node:
    kind = {"in": "input", "out": "output"}[side]
    return Node(f"{side}:{op}", kind, label, (), shape_text(hierarchy.ops[op].output_shape))


def _places(hierarchy: Hierarchy, focus: Node) -> Mapping[str, str]:
    """For each operation outside the focus the largest box that it is in and the focus is not."""
    around = {*hierarchy.ancestors(focus.id), focus.id}
    places: dict[str, str] = {}

    def name(node: Node) -> None:
        for child in node.children:
            if child.id in around:
                name(child)
            else:
                places.update(dict.fromkeys(child.ops, child.label))

    name(hierarchy.root)
    return places


def _edges(
    hierarchy: Hierarchy, home: Mapping[str, str], before: Mapping[str, Node], after: Mapping[str, Node]
) -> tuple[Edge, ...]:
    bundles: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for op in hierarchy.trace.ops:
        target = home.get(op.id)
        for source in op.inputs:
            start = home.get(source) or (before[source].id if source in before else None)
            if start and target and start != target:
                bundles[start, target].append((source, op.id))
        if op.id in after:
            bundles[home[op.id], after[op.id].id].append((op.id, ""))
    return tuple(_edge(start, target, pairs, hierarchy) for (start, target), pairs in bundles.items())


def _edge(start: str, target: str, pairs: list[tuple[str, str]], hierarchy: Hierarchy) -> Edge:
    shapes = [hierarchy.ops[source].output_shape for source, _ in pairs]
    kinds = {hierarchy.skips.get(pair, "") for pair in pairs}
    skip = kinds.pop() if len(kinds) == 1 else ""
    return Edge(start, target, max(shapes, key=prod), skip, tuple(pairs))
