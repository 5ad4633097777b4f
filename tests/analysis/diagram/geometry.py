"""What a designer would circle in red in a scene of the block diagram, found by arithmetic."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from explorer.analysis.diagram.cut import Cut
from explorer.analysis.diagram.geometry import Box
from explorer.analysis.diagram.placement import PlacedEdge, PlacedNode, Scene

PADDING = 4.0  # at least this much between the border of an open box and the boxes in it
SLACK = 0.02
_REACH = np.array([-1.0, -1.0, 1.0, 1.0])  # a line has no area


def faults(cut: Cut, scene: Scene) -> list[str]:
    """One sentence for each broken promise of `placement.place`; [] for a clean scene."""
    return [
        *_missing(cut, scene),
        *_boxes(cut, scene),
        *_texts(scene),
        *_edge_labels(scene),
        *_ends(scene),
        *_crossings(cut, scene),
    ]


def _missing(cut: Cut, scene: Scene) -> Iterator[str]:
    wanted = {node.id for node in cut.nodes}
    closed = Counter(placed.node.id for placed in scene.nodes if not placed.open)
    opened = Counter(placed.node.id for placed in scene.nodes if placed.open)
    if closed != Counter(wanted):
        yield f"closed nodes differ: {set(closed) ^ wanted}"
    if not set(opened) <= cut.open or any(count > 1 for count in opened.values()):
        yield f"open boxes differ: {opened}"
    if [placed.edge for placed in scene.edges] != list(cut.edges):
        yield "edges differ"
    seen: set[str] = set()
    for placed in scene.nodes:
        parent = cut.hierarchy.parents.get(placed.node.id)
        if parent in opened and parent not in seen:
            yield f"{placed.node.id} stands before the box it is in"
        seen.add(placed.node.id)


def _around(cut: Cut, node_id: str) -> set[str]:
    return set(cut.hierarchy.ancestors(node_id)) & cut.open


def _arrays(boxes: list[Box]) -> np.ndarray:
    """Left, top, right, bottom of each: [N, 4]."""
    rows = [[box.x, box.y, box.x + box.width, box.y + box.height] for box in boxes]
    return np.array(rows).reshape(-1, 4)


def _touching(boxes: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Which boxes [N, 4] share area with `one` [4]."""
    return (
        (boxes[:, 0] < one[2] - SLACK)
        & (boxes[:, 2] > one[0] + SLACK)
        & (boxes[:, 1] < one[3] - SLACK)
        & (boxes[:, 3] > one[1] + SLACK)
    )


def _boxes(cut: Cut, scene: Scene) -> Iterator[str]:
    placed = scene.nodes
    rows = _arrays([each.box for each in placed])
    around = {each.node.id: _around(cut, each.node.id) for each in placed}
    canvas = Box(0, 0, scene.width, scene.height)
    opened = open_nodes(scene)
    for n, each in enumerate(placed):
        if not canvas.contains(each.box):
            yield f"{each.node.id} leaves the picture"
        if each.box.width <= 0 or each.box.height <= 0:
            yield f"{each.node.id} has no size"
        for m in np.flatnonzero(_touching(rows[n + 1 :], rows[n])) + n + 1:
            outer, inner = (
                (each, placed[m]) if each.node.id in around[placed[m].node.id] else (placed[m], each)
            )
            if outer.node.id not in around[inner.node.id]:
                yield f"{outer.node.id} and {inner.node.id} overlap"
            elif not outer.box.contains(_grown(inner.box, PADDING)):
                yield f"{inner.node.id} is not well inside {outer.node.id}"
        for outer_id in around[each.node.id]:
            if outer_id not in opened or not opened[outer_id].box.contains(each.box):
                yield f"{each.node.id} is not inside {outer_id}"


def _grown(box: Box, by: float) -> Box:
    return Box(box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)


def _texts(scene: Scene) -> Iterator[str]:
    for each in scene.nodes:
        if not each.labels:
            yield f"{each.node.id} has no text"
        for label in each.labels:
            if not each.box.contains(label.box):
                yield f"{label.text!r} leaves {each.node.id}"
        for one, other in combinations(each.labels, 2):
            if one.box.overlaps(other.box):
                yield f"{one.text!r} and {other.text!r} overlap in {each.node.id}"


def _edge_labels(scene: Scene) -> Iterator[str]:
    labels = [each.label for each in scene.edges if each.label]
    if not labels:
        return
    rows = _arrays([label.box for label in labels])
    nodes = _arrays([each.box for each in scene.nodes])
    texts = _arrays([label.box for each in scene.nodes for label in each.labels])
    canvas = Box(0, 0, scene.width, scene.height)
    for n, label in enumerate(labels):
        if not canvas.contains(label.box):
            yield f"{label.text!r} leaves the picture"
        for m in np.flatnonzero(_touching(nodes, rows[n])):
            each = scene.nodes[m]
            if not (each.open and each.box.contains(label.box)):
                yield f"{label.text!r} of an edge touches {each.node.id}"
        if _touching(texts, rows[n]).any():
            yield f"{label.text!r} of an edge lies on a node's text"
        if _touching(rows[n + 1 :], rows[n]).any():
            yield f"{label.text!r} of an edge lies on another's"


def _ends(scene: Scene) -> Iterator[str]:
    boxes = {each.node.id: each.box for each in scene.nodes}
    flow = 0 if scene.direction == "right" else 1
    for each in scene.edges:
        name, points = _name(each), each.points
        source, target = boxes[each.edge.source], boxes[each.edge.target]
        leaves = (source.x + source.width, source.y + source.height)[flow]
        meets = (target.x, target.y)[flow]
        if abs(points[0][flow] - leaves) > SLACK or abs(points[-1][flow] - meets) > SLACK:
            yield f"{name} does not run from border to border"
        for point, box in ((points[0], source), (points[-1], target)):
            side = point[1 - flow]
            start, size = ((box.y, box.height), (box.x, box.width))[flow]
            if not start - SLACK <= side <= start + size + SLACK:
                yield f"{name} ends beside its box"
        if any(other[flow] < one[flow] - SLACK for one, other in pairwise(points)):
            yield f"{name} runs back"
        if len(points) > 1 and any(
            abs(one[1 - flow] - other[1 - flow]) > SLACK for one, other in (points[:2], points[-2:])
        ):
            yield f"{name} does not begin and end along the flow"
        if not 1.2 <= each.width <= 5.0:
            yield f"{name} is {each.width} px wide"


def _name(edge: PlacedEdge) -> str:
    return f"{edge.edge.source} -> {edge.edge.target}"


def _crossings(cut: Cut, scene: Scene) -> Iterator[str]:
    """Lines through boxes that are not around one of their ends, or through the title of any box."""
    around = {each.node.id: _around(cut, each.node.id) for each in scene.nodes}
    titles = [(each, label.box) for each in scene.nodes if each.open for label in each.labels]
    rows = _arrays([*(each.box for each in scene.nodes), *(box for _, box in titles)])
    for each in scene.edges:
        allowed = around[each.edge.source] | around[each.edge.target]
        points = np.array(each.points)
        near = np.flatnonzero(
            _touching(rows, np.concatenate([points.min(axis=0), points.max(axis=0)]) + _REACH)
        )
        for n in near[_hit(rows[near], points)]:
            if n >= len(scene.nodes):
                yield f"{_name(each)} crosses the title of {titles[n - len(scene.nodes)][0].node.id}"
            elif scene.nodes[n].node.id not in allowed:
                yield f"{_name(each)} crosses {scene.nodes[n].node.id}"


def _hit(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which boxes [N, 4] a polyline [P, 2] enters (Liang and Barsky's clipping of its pieces)."""
    start, move = points[:-1, None, :], np.diff(points, axis=0)[:, None, :]  # [P-1, 1, 2]
    near, far = boxes[None, :, :2] + SLACK, boxes[None, :, 2:] - SLACK  # [1, N, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (near - start) / move, (far - start) / move
    still = np.broadcast_to(move == 0, one.shape)
    inside = (start > near) & (start < far)
    enter = np.where(still, np.where(inside, -np.inf, np.inf), np.minimum(one, other)).max(axis=2)
    leave = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(one, other)).min(axis=2)
    return ((enter < leave) & (enter < 1) & (leave > 0)).any(axis=0)


def open_nodes(scene: Scene) -> dict[str, PlacedNode]:
    return {each.node.id: each for each in scene.nodes if each.open}
