"""Networks compared with hand values, and their layers joined without losing one."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import catalogue
from explorer.analysis import receptive_fields, stats_of, trace
from explorer.analysis.comparing.alignment import align, align_all
from explorer.analysis.comparing.comparison import (
    QUANTITIES,
    Compared,
    Quantity,
    beside,
    compare,
    join_layers,
    published,
    row,
)
from explorer.analysis.graph.tracing import deployed_form
from explorer.analysis.numbers.stats import Layer
from explorer.analysis.structure.hierarchy import Hierarchy, hierarchy
from explorer.catalogue import Fact


@cache
def boxes(name: str) -> Hierarchy:
    traced = trace(name)
    return hierarchy(traced, receptive_fields(traced))


@cache
def compared(name: str) -> Compared:
    traced = trace(name)
    entry = catalogue.get(name)
    paper, weights = published(entry, ())
    return Compared(stats_of(traced), traced, entry.year, paper, weights)


def test_resnet50_beside_convnext_t():
    """Parameters and MACs as torchvision publishes them, top-1 of its weights, 10 crops in ResNet's paper."""
    rows = compare([compared("resnet50"), compared("convnext_t")])
    assert rows["params"].values == (25_557_032, 28_589_128)
    assert rows["params"].changes == pytest.approx((1, 1.11864), abs=1e-5)
    assert rows["params"].best == {0}
    assert [round(value / 1e9, 3) for value in rows["macs"].values] == [4.089, 4.456]
    assert rows["weights top1"].values == (80.858, 82.52)
    assert rows["weights top1"].changes == pytest.approx((0, 1.662))
    assert rows["weights top1"].best == {1}
    assert rows["paper top1"].values == (77.15, 82.1)
    assert rows["paper top1"].changes == (0, None)  # ten crops against one
    assert rows["paper top1"].apart == ("", "1 crop against 10 crops")
    assert rows["paper top1"].best == frozenset()
    assert rows["year"].changes == (0, 2022 - 2015)
    assert rows["depth"].values == (50, 59)
    assert rows["depth"].best == frozenset()


def test_accuracies_are_subtracted_and_ranked_only_where_they_were_tested_alike():
    found = compare([compared("resnet50"), compared("efficientnet_b4")])["weights top1"]
    assert found.values == (80.858, 83.384)
    assert (found.changes, found.best) == ((0, None), frozenset())
    assert found.apart == ("", "380 pixels against 224 pixels")
    alike = compare([compared("resnet50"), compared("densenet121")])["paper top1"]
    assert alike.apart == ("", "1 crop against 10 crops")


def test_weights_take_four_bytes_a_parameter_and_the_running_statistics():
    found = compare([compared("resnet50")])
    statistics = sum(  # mean and variance in float32 of every batch norm, and its count of batches in int64
        2 * 4 * layer.output_shape[1] + 8
        for layer in compared("resnet50").stats.layers
        if layer.kind == "norm"
    )
    assert found["weight_bytes"].values == (4 * 25_557_032 + statistics,)


def test_the_best_of_a_table_is_its_best_known_value():
    fewest = Quantity("Parameters", "", "less", "ratio", lambda of: None)
    assert row([2.0, 1.0, None, 1.0], fewest).best == {1, 3}
    assert row([2.0, 1.0, None, 4.0], fewest).changes == (1, 0.5, None, 2)
    assert row([1.0, None], fewest).best == frozenset()  # alone it beats nothing
    assert row([1.0, 1.0], fewest).best == frozenset()
    assert row([None, 1.0, 2.0], fewest).changes == (None, None, None)
    assert row([0.0, 1.0], fewest).changes == (None, None)  # nothing to divide by


@given(st.lists(st.none() | st.floats(1e-3, 1e12), min_size=1, max_size=4))
def test_nothing_beats_the_best(values):
    for quantity in QUANTITIES.values():
        best = {values[place] for place in row(values, quantity).best}
        known = {value for value in values if value is not None}
        if best:
            assert quantity.better is not None
            assert best == {min(known) if quantity.better == "less" else max(known)}
            assert len(known) > 1


def test_what_is_published_is_told_apart():
    entry = catalogue.get("resnet50")
    paper, weights = published(entry, ())
    assert (paper.value, paper.protocol) == (77.15, "single network, 10 crops 224")
    assert weights.source == "torchvision ResNet50_Weights.IMAGENET1K_V2"
    better = Fact(81.5, "%", "torchvision somewhere")
    assert published(entry, [better])[1] is better
    assert published(None, [better]) == (None, better)
    more_pictures = Fact(98.0, "%", "torchvision ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1")
    assert published(entry, [more_pictures])[1] is weights
    elsewhere = Fact(99.0, "%", "timm somewhere")  # perhaps of other data: only where nothing else is known
    assert published(entry, [elsewhere])[1] is weights
    assert published(None, [elsewhere]) == (None, elsewhere)
    assert published(None, ()) == (None, None)


def names(networks) -> list[list[str | None]]:
    return [
        [node and node.id for node in scale.nodes] for scale in align_all([boxes(each) for each in networks])
    ]


def test_two_networks_align_as_they_do_in_pairs():
    for pair in (("resnet50", "convnext_t"), ("alexnet", "vgg16"), ("vit_b16", "resnet50")):
        rows = align(boxes(pair[0]), boxes(pair[1]))
        assert names(pair) == [[r.left and r.left.id, r.right and r.right.id] for r in rows]
        told = align_all([boxes(each) for each in pair])
        for scale, r in zip(told, rows, strict=True):
            assert scale.differences[0] == ()
            assert scale.differences[1] == (r.differences if r.left and r.right else ())


def test_four_networks_meet_where_their_grids_do():
    found = names(["resnet50", "convnext_t", "efficientnet_b0", "vgg16"])
    meeting = {tuple(each) for each in found}
    assert ("stage-1", "stage-1", "stage-2", "stage-3") in meeting  # 56 x 56
    assert ("head", "head", "head", "head") in meeting
    for place, name in enumerate(["resnet50", "convnext_t", "efficientnet_b0", "vgg16"]):
        stages = [node.id for node in boxes(name).root.children if node.kind == "stage"]
        assert [each[place] for each in found if each[place]] == stages


def layers(kinds: str) -> tuple[Layer, ...]:
    """A layer for each letter: s spatial, p pointwise, n norm, a activation."""
    known = {"s": "spatial", "p": "pointwise", "n": "norm", "a": "activation", "d": "depthwise"}
    return tuple(Layer(f"{i}", known[kind], kind, (), 0, 0, 0, None) for i, kind in enumerate(kinds))


def letters(rows) -> list[str]:
    return ["".join(layer.name if layer else "-" for layer in row) for row in rows]


def test_layers_of_one_kind_stand_beside_each_other():
    assert letters(beside([layers("sna"), layers("sna")])) == ["ss", "nn", "aa"]
    assert letters(beside([layers("sna"), layers("sa")])) == ["ss", "n-", "aa"]
    assert letters(beside([layers("sa"), layers("sna")])) == ["ss", "-n", "aa"]
    assert letters(beside([(), layers("sn")])) == ["-s", "-n"]
    assert letters(beside([layers("pna"), layers("pdna"), layers("pn")])) == ["ppp", "-d-", "nnn", "aa-"]


def test_a_depthwise_stands_where_the_other_has_a_spatial_convolution():
    assert letters(beside([layers("sna"), layers("dna")])) == ["sd", "nn", "aa"]
    assert letters(beside([layers("sna"), layers("ddna")])) == ["sd", "-d", "nn", "aa"]


@given(st.lists(st.text("snapd", max_size=12), min_size=1, max_size=4))
def test_no_layer_is_lost_or_told_twice(columns):
    made = [layers(each) for each in columns]
    rows = beside(made)
    for place, column in enumerate(made):
        assert tuple(row[place] for row in rows if row[place] is not None) == column
    for each in rows:
        assert any(layer is not None for layer in each)


def test_resnet101_has_seventeen_more_blocks_in_one_stage():
    """Ten rows a block: three convolutions, three norms, three activations, and the addition."""
    pair = ("resnet50", "resnet101")
    by_stage = [
        {
            stage.name: [layer for layer in compared(name).stats.layers if _in(layer, stage, compared(name))]
            for stage in compared(name).stats.stages
        }
        for name in pair
    ]
    rows = join_layers(align_all([boxes(each) for each in pair]), by_stage)
    alone = [row for row in rows if row.layers[0] is None]
    assert {row.stages for row in alone} == {("stage 3", "stage 3")}
    assert len(alone) == 17 * 10
    assert all(row.layers[1] is not None for row in rows)
    assert sum(row.layers[1].params for row in rows) == compared("resnet101").stats.params


def _in(layer: Layer, stage, of: Compared) -> bool:
    ops = of.trace.by_id()
    return layer.path in {place for each in stage.ops for place in (each, ops[each].dotted)}


def test_the_deployed_form_has_rows_of_its_own_where_a_network_has_two() -> None:
    traced = trace("timm:mobileone_s0")
    two = Compared(stats_of(traced, deployed_form(traced, "timm:mobileone_s0")), traced)
    one = compared("lenet5")
    rows = compare([one, two])
    assert rows["params"].values == (one.stats.params, 5_293_272)
    assert rows["deployed params"].values == (one.stats.params, 2_078_504)
    assert rows["deployed macs"].values[0] == one.stats.macs
    assert rows["deployed macs"].values[1] == pytest.approx(275e6, rel=2e-3)
    assert not any(name.startswith("deployed") for name in compare([one, one]))
