"""The boxes of the diagram: what the papers draw, and totals that hold at every depth."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import receptive_fields, trace
from explorer.analysis.diagram.cut import LEVELS, at_level, cut, opened
from explorer.analysis.structure.hierarchy import MOST_CHILDREN, Hierarchy, Node, hierarchy

# Blocks by stage, between stem and head, copied by hand from the papers' tables and figures. Several kinds in
# one stage are written one after the other ("transition and 12 dense layers").
PAPERS = {
    "alexnet": [[], [], [3]],  # figure 2: conv 1 and 2 alone, then three convolutions on 13 x 13
    "zfnet": [[], [], [3]],
    "vgg11": [[], [], [2], [2], [2]],  # table 1, column A; single convolutions do not fold
    "vgg16": [[2], [2], [3], [3], [3]],  # column D
    "vgg19": [[2], [2], [4], [4], [4]],  # column E
    "googlenet": [[2], [5], [2]],  # table 1: inception 3a-b, 4a-e, 5a-b
    "inception_v3": [[3], [1, 4], [1, 2]],
    "inception_v4": [[4], [1, 7], [1, 3]],  # figure 9
    "resnet18": [[2], [2], [2], [2]],  # He et al. 2015, table 1
    "resnet34": [[3], [4], [6], [3]],
    "resnet50": [[3], [4], [6], [3]],
    "resnet101": [[3], [4], [23], [3]],
    "resnet152": [[3], [8], [36], [3]],
    "resnet20_cifar": [[3], [3], [3]],  # section 4.2: 6n + 2 layers, n = 3
    "resnet56_cifar": [[9], [9], [9]],
    "wrn28_10": [[4], [4], [4]],  # 6N + 4 layers, N = 4
    "resnext50": [[3], [4], [6], [3]],
    "senet154": [[3], [8], [36], [3]],
    "squeezenet": [[3], [4], [1]],  # fire 2-4, 5-8, 9
    "densenet121": [[6], [1, 12], [1, 24], [1, 16]],
    "densenet201": [[6], [1, 12], [1, 48], [1, 32]],
    "mobilenet_v1": [[1], [2], [2], [6], [2]],
    "mobilenet_v2": [[1], [2], [3], [4], [3], [3], [1]],  # table 2, column n
    "mobilenet_v3": [[1], [2], [3], [4], [2], [3]],  # table 1, by resolution and width
    "shufflenet_v1": [[1, 3], [1, 7], [1, 3]],  # table 1: stride 2, then repeats
    "efficientnet_b0": [[1], [2], [2], [3], [3], [4], [1]],
    "efficientnetv2_s": [[2], [4], [4], [6], [9], [15]],  # table 4
    "regnet_y_3_2gf": [[2], [5], [13], [1]],
    "vit_b16": [[12]],
    "swin_t": [[2], [1, 2], [1, 6], [1, 2]],  # figure 3, with patch merging
    "convnext_t": [[3], [3], [9], [3]],
    "convnext_s": [[3], [3], [27], [3]],
    "convnextv2_atto": [[2], [2], [6], [2]],
}
BOXES = ("block", "fold")


@cache
def boxes(name: str) -> Hierarchy:
    traced = trace(name)
    return hierarchy(traced, receptive_fields(traced))


def stages_of(name: str) -> list[Node]:
    return [node for node in boxes(name).root.children if node.label.startswith("stage ")]


@pytest.mark.parametrize("name", PAPERS)
def test_blocks_fold_as_in_the_paper(name: str) -> None:
    found = [[child.count for child in stage.children if child.kind in BOXES] for stage in stages_of(name)]
    assert found == PAPERS[name]


def test_resnet_stands_between_stem_and_head() -> None:
    assert [node.label for node in boxes("resnet50").root.children] == [
        "input", "stem", "stage 1", "stage 2", "stage 3", "stage 4", "head", "output",
    ]  # fmt: skip


def test_a_fold_says_what_differs() -> None:
    fold = boxes("resnet50").by_id["layer3.0..5"]
    assert (fold.label, fold.count) == ("Bottleneck", 6)
    assert fold.differs == (
        "channels in: 512 (1st), 1024 (2nd to 6th)",
        "stride: 2 (1st), 1 (2nd to 6th)",
        "skip: projection (1st), identity (2nd to 6th)",
    )


def test_swin_blocks_differ_by_their_shift() -> None:
    fold = next(node for node in stages_of("swin_t")[2].children if node.kind == "fold")
    assert fold.differs == (
        "extra steps: none (1st), roll (2nd), none (3rd), roll (4th), none (5th), roll (6th)",
    )


def test_an_inception_module_has_four_branches_of_its_own() -> None:
    inside = cut(boxes("googlenet"), focus="inception3a")
    joined = next(node for node in inside.nodes if node.label == "concat")
    assert len([edge for edge in inside.edges if edge.target == joined.id]) == 4


def test_the_gate_of_squeeze_and_excitation_is_drawn() -> None:
    inside = cut(boxes("se_resnet50"), focus="layer1.0.se")
    (gate,) = [node for node in inside.nodes if node.label == "multiply"]
    assert {edge.source for edge in inside.edges if edge.target == gate.id} >= {"sigmoid"}
    assert len([edge for edge in inside.edges if edge.target == gate.id]) == 2


def test_sixteen_channel_shuffles() -> None:
    shuffles = [node for node in boxes("shufflenet_v1").root.walk() if node.label == "channel shuffle"]
    assert len(shuffles) == 16


@pytest.mark.parametrize(("name", "places"), [("convnext_t", 18), ("swin_t", 24), ("efficientnet_b0", 9)])
def test_the_places_of_stochastic_depth(name: str, places: int) -> None:
    """One an identity skip: ConvNeXt 3 + 3 + 9 + 3, Swin two a block, B0 16 blocks less 7 without skip."""
    marks = [node for node in boxes(name).root.walk() if node.label == "stochastic depth"]
    assert len(marks) == places


@pytest.mark.parametrize(
    ("name", "identity", "projection"), [("resnet50", 12, 4), ("resnet18", 5, 3), ("mobilenet_v2", 10, 0)]
)
def test_skips_by_what_stands_on_them(name: str, identity: int, projection: int) -> None:
    network = boxes(name)
    found = [edge.skip for edge in cut(network, at_level(network, "op")).edges if edge.skip]
    assert (found.count("identity"), found.count("projection")) == (identity, projection)


def test_idle_parameters_have_a_box_of_their_own() -> None:
    network = boxes("inception_v3")
    idle = network.by_id["idle"]
    assert network.totals(idle) == (sum(p.params for p in network.trace.idle), 0)
    assert network.totals(network.root) == (network.trace.params, network.trace.macs)


def assert_whole(network: Hierarchy, open_ids: frozenset[str]) -> None:
    """Everything of the trace is on the screen once: operations, cost, edges."""
    shown = cut(network, open_ids)
    home = {op: node.id for node in shown.nodes for op in node.ops}
    assert sorted(op for node in shown.nodes for op in node.ops) == sorted(network.ops)
    totals = [network.totals(node) for node in shown.nodes]
    assert sum(params for params, _ in totals) == network.trace.params
    assert sum(macs for _, macs in totals) == network.trace.macs
    drawn = {pair for edge in shown.edges for pair in edge.ops}
    for op in network.trace.ops:
        for source in op.inputs:
            assert (source, op.id) in drawn or home[source] == home[op.id]
    place = {node.id: number for number, node in enumerate(shown.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in shown.edges), "edges run forward"


SOME = ("lenet5", "googlenet", "densenet121", "inception_v3", "shufflenet_v2", "swin_t", "convnextv2_t")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", PAPERS)
def test_totals_at_every_level(name: str, level: str) -> None:
    assert_whole(boxes(name), at_level(boxes(name), level))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_totals_at_every_folding(data: st.DataObject) -> None:
    network = boxes(data.draw(st.sampled_from(SOME)))
    closed = [node.id for node in network.root.walk() if not node.leaf]
    assert_whole(network, data.draw(st.frozensets(st.sampled_from(closed))))


@pytest.mark.parametrize("name", SOME)
def test_ids_are_unique_and_no_box_is_overfull(name: str) -> None:
    nodes = list(boxes(name).root.walk())
    assert len({node.id for node in nodes}) == len(nodes)
    assert max(len(node.children) for node in nodes) <= MOST_CHILDREN


@pytest.mark.parametrize("name", SOME)
def test_every_node_can_be_brought_on_the_screen(name: str) -> None:
    network = boxes(name)
    for node in network.root.walk():
        if node is not network.root:
            assert node.id in {each.id for each in cut(network, opened(network, node.id)).nodes}


def test_inside_a_block_ports_stand_for_the_outside() -> None:
    inside = cut(boxes("resnet50"), focus="layer2.0")
    assert [(node.id, node.label) for node in inside.nodes if node.kind in ("input", "output")] == [
        ("in:relu_9", "from stage 1"),
        ("out:relu_12", "to Bottleneck"),
    ]


def test_unknown_names_open_nothing() -> None:
    network = boxes("lenet5")
    assert cut(network, ["nonsense"], focus="nonsense") == cut(network)
    with pytest.raises(ValueError, match="'layers' is not a level; try one of stage, block, op"):
        at_level(network, "layers")  # type: ignore[arg-type]
