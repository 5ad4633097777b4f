"""Cards of real networks: they say what the papers' figures say, hold everything, and do not overlap."""

import pytest

from explorer import analysis, catalogue
from explorer.ui.network import stages as stage_cards
from explorer.ui.volumes.component import WIDTHS
from tests.ui.volumes.test_layout import problems

# Other sizes of one paper have the same structure, so one network stands for them all.
NETWORKS = [
    entry.id for entry in catalogue.architectures().values() if entry.builders and entry.variant_of is None
]


def drawn(name: str):
    trace = analysis.trace(name)
    sheet = analysis.stats_of(trace)
    return trace, sheet, stage_cards.cards(trace, sheet)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_catalogued_architecture_is_drawn_whole_and_without_overlap(name):
    _, sheet, cards = drawn(name)
    for width in (WIDTHS[0], 820, 1200, WIDTHS[-1]):
        assert problems(cards, width) == []
    used = sheet.params - sheet.idle_params
    assert sum(sum(card.params_by_kind.values()) for card in cards) == pytest.approx(used / sheet.params)
    assert sum(sum(card.macs_by_kind.values()) for card in cards) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "skips", "repeats"),
    [
        ("resnet50", ["", "add", "add", "add", "add", ""], [1, 3, 4, 6, 3, 1]),
        ("densenet121", ["", "concat", "concat", "concat", "concat", ""], [1, 6, 12, 24, 16, 1]),
        ("googlenet", ["", "branches", "branches", "branches", ""], [3, 2, 5, 2, 1]),
        ("vgg16", [""] * 6, [2, 2, 3, 3, 3, 3]),
    ],
)
def test_the_joints_and_counts_are_the_papers(name, skips, repeats):
    stages = [card for card in drawn(name)[2] if not card.port]
    assert [card.skip for card in stages] == skips
    assert [card.repeats for card in stages] == repeats


def test_googlenet_has_four_branches_and_densenet_hands_on_all_channels():
    assert {card.ways for card in drawn("googlenet")[2] if card.skip} == {4}
    dense = [card.shape for card in drawn("densenet121")[2] if card.skip]
    assert dense == ["256 × 56 × 56", "512 × 28 × 28", "1024 × 14 × 14", "1024 × 7 × 7"]


def test_a_window_transformers_volume_is_a_grid_like_any_other():
    shapes = [card.output_shape for card in drawn("swin_t")[2] if card.skip]
    assert shapes[0] == (1, 96, 56, 56)
    assert shapes[-1] == (1, 768, 7, 7)


def test_a_layer_finds_its_stage():
    trace, sheet, _ = drawn("resnet50")
    index = stage_cards.index(trace, sheet)
    assert index.of("layer3.2.conv2") == "stage 3"
    assert index.of("fc") == "head"
    assert index.of("no.such.layer") == ""
