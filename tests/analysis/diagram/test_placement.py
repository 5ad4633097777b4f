"""The block diagram's geometry on graphs drawn by hand, and its promises on random nested ones."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.diagram.cut import Cut, Edge
from explorer.analysis.diagram.geometry import Box
from explorer.analysis.diagram.placement import Scene, line_width, place
from explorer.analysis.graph.operations import Trace
from explorer.analysis.structure.hierarchy import Hierarchy, Node
from tests.analysis.diagram.geometry import faults

BIG, SMALL = (1, 64, 56, 56), (1, 64, 1, 1)
DIRECTIONS = ("right", "down")

both = pytest.mark.parametrize("direction", DIRECTIONS)


def leaf(name: str, kind: str = "spatial", label: str | None = None, detail: str = "64 × 56 × 56") -> Node:
    return Node(name, kind, name if label is None else label, (name,), detail)


def box(name: str, *children: Node | str, kind: str = "block", count: int = 1) -> Node:
    nodes = tuple(leaf(child) if isinstance(child, str) else child for child in children)
    ops = tuple(op for node in nodes for op in node.ops)
    return Node(name, kind, name, ops, "64 × 56 × 56", children=nodes, count=count)


def drawn(children: Sequence[Node | str], edges: Sequence[Edge], opened: Sequence[str] = ()) -> Cut:
    """A cut of a network with these children, by hand; edges between what is visible."""
    root = box("network", *children, kind="network")
    hierarchy = Hierarchy(Trace("drawn", (), {}, (1, 3, 224, 224)), root, (), {})
    visible: list[Node] = []

    def collect(node: Node) -> None:
        for child in node.children:
            if child.id in opened:
                collect(child)
            else:
                visible.append(child)

    collect(root)
    return Cut(hierarchy, root, frozenset(opened), tuple(visible), tuple(edges))


def flow(*names: str, shape: tuple[int, ...] = BIG) -> list[Edge]:
    """Edges from each to the next."""
    return [Edge(one, other, shape) for one, other in pairwise(names)]


def clean(cut: Cut, direction: str, **options) -> Scene:
    scene = place(cut, direction, **options)
    assert faults(cut, scene) == []
    return scene


def boxes(scene: Scene) -> dict[str, Box]:
    return {each.node.id: each.box for each in scene.nodes}


def middle(of: Box, direction: str) -> float:
    """Across the flow."""
    return of.y + of.height / 2 if direction == "right" else of.x + of.width / 2


def line(scene: Scene, source: str, target: str) -> list[tuple[float, float]]:
    """Points along and across."""
    (points,) = (e.points for e in scene.edges if (e.edge.source, e.edge.target) == (source, target))
    return [point if scene.direction == "right" else point[::-1] for point in points]


SKIP = drawn(
    ["fork", "conv1", "conv2", "conv3", "add", "relu"],
    [*flow("fork", "conv1", "conv2", "conv3", "add", "relu"), Edge("fork", "add", BIG, "identity")],
)
INCEPTION = drawn(
    ["stem", "a", "b1", "b2", "c1", "c2", "pool", "d", "cat", "head"],
    [
        *flow("stem", "a", "cat", "head"),
        *flow("stem", "b1", "b2", "cat"),
        *flow("stem", "c1", "c2", "cat"),
        *flow("stem", "pool", "d", "cat"),
    ],
)
GATE = drawn(
    ["conv", "squeeze", "fc1", "relu", "fc2", "sigmoid", "scale", "next"],
    [
        Edge("conv", "squeeze", BIG),
        *flow("squeeze", "fc1", "relu", "fc2", "sigmoid", "scale", shape=SMALL),
        *flow("conv", "scale", "next"),
    ],
)
NESTED = drawn(
    ["stem", box("stage", box("one", "c1", "c2", "add1"), box("two", "c3", "c4", "add2")), "head"],
    [
        *flow("stem", "c1", "c2", "add1", "c3", "c4", "add2", "head"),
        Edge("stem", "add1", BIG, "identity"),
        Edge("add1", "add2", BIG, "identity"),
    ],
    opened=["stage", "one", "two"],
)


@both
def test_a_chain_is_one_straight_line(direction):
    names = ["input", "a", "b", "c", "output"]
    scene = clean(drawn(names, flow(*names)), direction)
    assert len({round(middle(each.box, direction), 6) for each in scene.nodes}) == 1
    assert all(len(each.points) == 2 and each.label is None for each in scene.edges)


@both
def test_a_skip_runs_beside_a_straight_main_way_and_is_named(direction):
    scene = clean(SKIP, direction)
    placed = boxes(scene)
    assert len({round(middle(each, direction), 6) for each in placed.values()}) == 1
    way = line(scene, "fork", "add")
    beside = [across for _, across in way if across < min(middle(b, direction) for b in placed.values()) - 20]
    assert len(beside) == 2, "one straight lane before the main way"
    assert beside[0] == beside[1]
    assert [e.label.text for e in scene.edges if e.label] == ["identity"]


@both
def test_a_skip_past_one_small_operation_still_has_room_for_its_name(direction):
    small = leaf("x", "activation", detail="")
    cut = drawn(["fork", small, "add"], [*flow("fork", "x", "add"), Edge("fork", "add", BIG, "projection")])
    scene = clean(cut, direction)
    assert [e.label.text for e in scene.edges if e.label] == ["projection"]


@both
def test_equal_branches_fan_out_around_the_line_in_order(direction):
    scene = clean(INCEPTION, direction)
    at = {name: middle(b, direction) for name, b in boxes(scene).items()}
    assert at["a"] < at["b1"] < at["c1"] < at["pool"]
    assert at["b1"] == at["b2"]
    assert at["pool"] == at["d"]
    assert at["stem"] == at["cat"] == at["head"]
    assert at["a"] + at["pool"] == pytest.approx(2 * at["stem"])
    assert at["b1"] + at["c1"] == pytest.approx(2 * at["stem"])


@both
def test_a_gate_stands_beside_the_tensor_that_it_scales(direction):
    scene = clean(GATE, direction)
    at = {name: middle(b, direction) for name, b in boxes(scene).items()}
    assert len(line(scene, "conv", "scale")) == 2
    assert at["conv"] == at["scale"] == at["next"] < at["squeeze"] == at["sigmoid"]


@both
def test_a_line_into_open_boxes_is_continuous_and_passes_their_entry_side(direction):
    scene = clean(NESTED, direction)
    placed = boxes(scene)
    for name in ("stage", "one"):
        start = placed[name].x if direction == "right" else placed[name].y
        way = line(scene, "stem", "c1")
        assert way[0][0] < start < way[-1][0]
    assert len(line(scene, "stem", "c1")) == 2, "the main way is straight through both borders"
    labels = [(e.edge.source, e.label.text) for e in scene.edges if e.label]
    assert labels == [("stem", "identity"), ("add1", "identity")]
    depths = {each.node.id: (each.depth, each.open) for each in scene.nodes}
    assert depths["stage"] == (0, True)
    assert depths["one"] == (1, True)
    assert depths["c1"] == (2, False)
    assert depths["head"] == (0, False)


@both
def test_dense_concatenations(direction):
    layers = [f"layer{n}" for n in range(16)]
    edges = [Edge(one, other, BIG, "concat") for n, other in enumerate(layers) for one in layers[:n]]
    scene = clean(drawn(["in", box("block", *layers), "out"], [
        Edge("in", layers[0], BIG), *edges, *[Edge(layer, "out", BIG) for layer in layers],
    ], opened=["block"]), direction)  # fmt: skip
    assert len({round(middle(b, direction), 6) for name, b in boxes(scene).items() if name in layers}) == 1


@both
def test_many_doors(direction):
    """A box fed by thirty tensors that feeds thirty others."""
    left, right = [f"l{n}" for n in range(30)], [f"r{n}" for n in range(30)]
    cut = drawn(
        [*left, box("hub", "x", *[f"h{n}" for n in range(30)]), *right],
        [
            *[Edge(name, "x", BIG) for name in left],
            *[Edge("x", f"h{n}", BIG) for n in range(30)],
            *[Edge(f"h{n}", right[n], SMALL) for n in range(30)],
        ],
        opened=["hub"],
    )
    clean(cut, direction)


@both
def test_a_table_stands_right_before_what_reads_it(direction):
    cut = drawn(
        ["in", "table", "a", "b", "c", "add"],
        [*flow("in", "a", "b", "c", "add"), Edge("table", "add", SMALL)],
    )
    placed = boxes(clean(cut, direction))
    side = (lambda b: b.x) if direction == "right" else (lambda b: b.y)
    assert side(placed["c"]) <= side(placed["table"]) < side(placed["add"])


@both
def test_what_has_no_edges_lies_beside(direction):
    clean(drawn(["in", "a", "out", replace(leaf("idle"), ops=())], flow("in", "a", "out")), direction)
    clean(drawn(["alone"], []), direction)
    clean(drawn([box("empty", "x", "y")], [], opened=["empty"]), direction)


@both
def test_a_focus_is_the_picture_and_its_ports_stand_outside(direction):
    inner = box("block", "a", "b")
    cut = drawn(["before", inner, "after"], [])
    ports = (Node("in:before", "input", "from before", ()), Node("out:b", "output", "to after", ()))
    cut = Cut(
        cut.hierarchy, inner, frozenset(), (ports[0], *inner.children, ports[1]),
        tuple(flow("in:before", "a", "b", "out:b")),
    )  # fmt: skip
    scene = clean(cut, direction)
    assert [(each.node.id, each.open, each.depth) for each in scene.nodes] == [
        ("in:before", False, 0), ("a", False, 0), ("b", False, 0), ("out:b", False, 0),
    ]  # fmt: skip


def test_texts():
    fold = replace(box("fold", "a", "b", kind="fold", count=3), label="Bottleneck", differs=("stride: 2, 1",))
    cut = drawn(["in", fold, "out"], flow("in", "fold", "out"))
    plain, overlaid = place(cut), place(cut, third={"fold": "12 M"})
    assert _texts(plain, "fold") == ["Bottleneck", "× 3", "64 × 56 × 56", "differ: stride"]
    assert _texts(overlaid, "fold") == ["Bottleneck", "× 3", "64 × 56 × 56", "12 M"]
    opened = place(
        drawn(["in", fold, "out"], flow("in", "a", "b", "out"), opened=["fold"]), third={"fold": "9"}
    )
    assert _texts(opened, "fold")[:2] == ["Bottleneck × 3", "9"]


def _texts(scene: Scene, name: str) -> list[str]:
    (found,) = (each.labels for each in scene.nodes if each.node.id == name)
    return [label.text for label in found]


@both
@pytest.mark.parametrize("text", ["", "W" * 300, "<script>alert(1)</script>\n\n" * 9, "层" * 40])
def test_any_text_stays_inside(direction, text):
    inner = replace(box("inner", leaf("x", label=text, detail=text), "y", count=12), label=text)
    cut = drawn([replace(inner, id="first"), inner], flow("first", "x", "y"), opened=["inner"])
    clean(cut, direction, third={"x": text, "inner": text, "first": text})


def test_line_width_grows_with_the_tensor_and_keeps_its_bounds():
    sizes = [line_width(shape) for shape in ((1, 1), (1, 1000), (1, 64, 7, 7), BIG, (1, 64, 4000, 4000))]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (1.2, 5.0)


@both
def test_where_edges_run_in_a_circle_the_later_ones_loop_back(direction):
    """As in CoaT, whose stages exchange their tensors twice."""
    coarse, fine = box("coarse", "c1", "c2"), box("fine", "f1", "f2")
    edges = [
        *flow("in", "c1", "c2", "out"),
        *flow("in", "f1", "f2", "out"),
        Edge("c1", "f2", BIG),
        Edge("f1", "c2", BIG),
        Edge("f2", "c2", SMALL),
    ]
    cut = drawn(["in", coarse, fine, "out"], edges, opened=["coarse", "fine"])
    assert [fault for fault in faults(cut, place(cut, direction)) if not fault.endswith("runs back")] == []
    closed = drawn(["in", "a", "b", "c", "out"], [*flow("in", "a", "b", "c", "out"), *flow("c", "b", "a")])
    found = faults(closed, place(closed, direction))
    assert found == ["c -> b runs back", "b -> a runs back"]


def test_a_bottleneck_fits_a_laptop_screen_in_one_row():
    kinds = ("conv 1×1", "batch norm", "ReLU", "conv 3×3", "batch norm", "ReLU", "conv 1×1", "batch norm")
    ops = [leaf(f"op{n}", label=label) for n, label in enumerate(kinds)]
    ops += [leaf("add", "merge"), leaf("relu", "activation", "ReLU")]
    names = ["in", *(op.id for op in ops), "out"]
    cut = drawn([leaf("in", "input"), box("block", *ops), leaf("out", "output")], [
        *flow(*names), Edge("in", "add", BIG, "identity"),
    ], opened=["block"])  # fmt: skip
    assert boxes(clean(cut, "right"))["block"].width <= 1280


@both
def test_three_thousand_nodes_in_three_seconds(direction):
    names = [f"n{n}" for n in range(3000)]
    stages = [box(f"s{n}", *names[50 * n : 50 * n + 50]) for n in range(60)]
    skips = [Edge(names[n], names[n + 7], BIG, "identity") for n in range(0, 2990, 3)]
    cut = drawn(stages, [*flow(*names), *skips], opened=[stage.id for stage in stages])
    begun = process_time()
    place(cut, direction)
    assert process_time() - begun < 3


@pytest.mark.parametrize("spoil", ["box", "edge", "label", "canvas"])
def test_the_checker_sees_what_is_wrong(spoil):
    scene = place(SKIP)
    nodes, edges = list(scene.nodes), list(scene.edges)
    if spoil == "box":
        nodes[1] = replace(nodes[1], box=replace(nodes[1].box, x=nodes[0].box.x))
    elif spoil == "edge":
        skip = next(n for n, each in enumerate(edges) if each.edge.skip)
        edges[skip] = replace(edges[skip], points=(edges[skip].points[0], edges[skip].points[-1]))
    elif spoil == "label":
        nodes[2] = replace(nodes[2], labels=(replace(nodes[2].labels[0], x=0),))
    else:
        scene = replace(scene, width=scene.width - 40)
    assert faults(SKIP, replace(scene, nodes=tuple(nodes), edges=tuple(edges)))


@st.composite
def nested(draw, circles: bool = False) -> tuple[Cut, dict[str, str]]:
    """A random graph without circles whose boxes are runs of consecutive leaves, some of them open."""
    count = draw(st.integers(1, 22))
    names = [f"n{n}" for n in range(count)]
    opened: list[str] = []

    def group(run: list[str], depth: int) -> list[Node]:
        if depth == 3 or len(run) < 2:
            return [
                leaf(name, label=draw(st.sampled_from(("ReLU", "conv 3×3", "a rather long name"))))
                for name in run
            ]
        nodes: list[Node] = []
        at = 0
        while at < len(run):
            size = draw(st.integers(1, len(run) - at))
            if size == 1 or not draw(st.booleans()):
                nodes += [leaf(name) for name in run[at : at + size]]
            else:
                name = f"box{len(opened)}.{run[at]}.{depth}"
                if draw(st.booleans()):
                    opened.append(name)
                nodes.append(
                    box(name, *group(run[at : at + size], depth + 1), count=draw(st.sampled_from((1, 12))))
                )
            at += size
        return nodes

    children = group(names, 0)
    bare = drawn(children, [], opened)
    home = {op: node.id for node in bare.nodes for op in node.ops}
    pairs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40))
    edges: dict[tuple[str, str], Edge] = {}
    for one, other in pairs:
        first, second = (one, other) if circles else (min(one, other), max(one, other))
        source, target = home[names[first]], home[names[second]]
        if source != target:
            shape = draw(st.sampled_from((BIG, SMALL, (1, 10))))
            skip = draw(st.sampled_from(("", "", "identity", "projection", "concat")))
            edges[source, target] = Edge(source, target, shape, skip)
    third = {node.id: "1.2 M" for node in bare.nodes if draw(st.booleans())}
    return drawn(children, list(edges.values()), opened), third


@settings(max_examples=150, deadline=None)
@given(nested(), st.sampled_from(DIRECTIONS))
def test_promises_hold_for_any_nested_graph(made, direction):
    cut, third = made
    scene = place(cut, direction, third)
    assert faults(cut, scene) == []
    assert place(cut, direction, third) == scene


@settings(max_examples=50, deadline=None)
@given(nested(circles=True), st.sampled_from(DIRECTIONS))
def test_with_circles_nothing_is_crossed_either(made, direction):
    cut, third = made
    scene = place(cut, direction, third)
    assert [fault for fault in faults(cut, scene) if not fault.endswith("runs back")] == []
