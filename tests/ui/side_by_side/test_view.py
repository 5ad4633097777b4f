"""The table of two networks: what it says where they differ, are alike, or one has no partner."""

import re
from html.parser import HTMLParser

import pytest

from explorer import analysis
from explorer.analysis.comparing.alignment import align
from explorer.analysis.structure.hierarchy import hierarchy
from explorer.ui.network import stages
from explorer.ui.side_by_side import view


def _of(name: str, image_size: int | None = None):
    trace = analysis.trace(name, image_size)
    stats = analysis.stats_of(trace)
    cards = {card.id: card for card in stages.cards(trace, stats)}
    side = view.Side(name, trace.input_shape[-1], cards, stats.params, stats.macs, stats.depth)
    return side, hierarchy(trace, analysis.receptive_fields(trace))


def _table(one, other) -> str:
    return view.table(one[0], other[0], align(one[1], other[1]))


def _rows(table: str) -> list[tuple[str, str]]:
    """(class, text) of each stage's row."""
    found = re.findall(r'<tr class="(\w+)">(.*?)</tr>', table)
    return [(words, _text(inside)) for words, inside in found]


def _text(html: str) -> str:
    said: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            said.append(data)

    Reader().feed(html)
    return " ".join(" ".join(said).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def resnet50():
    return _of("torchvision:resnet50")


def test_resnet101_is_resnet50_with_a_longer_third_stage(resnet50):
    table = _table(resnet50, _of("torchvision:resnet101"))
    rows = _rows(table)
    assert [words for words, _ in rows] == ["alike", "alike", "alike", "differs", "alike", "alike"]
    third = rows[3][1]
    assert third.startswith("14 × 14 Stage 3 6 × Bottleneck")
    assert "Stage 3 23 × Bottleneck" in third
    assert "blocks 6 × Bottleneck against 23 × Bottleneck" in third
    said = _text(table)
    assert "25.6 M params · 4.09 G MACs · depth 50" in said
    assert "44.5 M params · 7.80 G MACs · depth 101" in said
    assert "params × 1.74" in said  # 44,549,160 / 25,557,032
    assert "MACs × 1.91" in said


def test_a_larger_image_costs_work_and_no_weights(resnet50):
    table = _table(resnet50, _of("torchvision:resnet50", 288))
    said = _text(table)
    assert "at 224 px" in said
    assert "at 288 px" in said
    assert "params the same" in said
    assert "MACs × 1.65" in said  # (288 / 224)^2, less the head that does not grow
    rows = _rows(table)
    assert [words for words, _ in rows[:-1]] == ["differs"] * 5
    assert rows[-1][0] == "alike"
    assert "resolution 56 × 56 against 72 × 72" in rows[1][1]


def test_a_stage_without_partner_stands_alone(resnet50):
    rows = _rows(_table(_of("torchvision:vgg16"), resnet50))
    alone = [text for words, text in rows if words == "alone"]
    assert alone[0].startswith("224 × 224 Stage 1 2 × ")
    assert "no counterpart" in alone[0]
    assert "only in torchvision:vgg16" in alone[0]
    assert sum("no counterpart" in text for _, text in rows) == len(alone)


def test_bars_share_one_scale_and_fill_it_once(resnet50):
    table = _table(resnet50, _of("torchvision:resnet101"))
    bars = [
        sum(float(width) for width in re.findall(r"width:([\d.]+)%", bar))
        for bar in re.findall(r'<div class="work"[^>]*>(.*?)</div>', table)
    ]
    assert len(bars) == 12
    assert max(bars) == pytest.approx(100, abs=0.1)
    assert bars[6] == pytest.approx(100 * 1.46 / 5.18, abs=0.3)  # stage 3 of ResNet-50 beside ResNet-101's


def test_names_are_text(resnet50):
    side = view.Side("<img src=x>", 224, resnet50[0].cards, 1, 1, 1)
    table = view.table(side, side, align(resnet50[1], resnet50[1]))
    assert "<img" not in table
    assert "&lt;img src=x&gt;" in table


@pytest.mark.parametrize(
    ("text", "size"), [("288", 288), (" 64 ", 64), ("", None), (None, None), ("1", 1), ("2048", 2048)]
)
def test_a_size_in_a_link(text, size):
    assert view.wanted_size(text) == (size, "")


@pytest.mark.parametrize("text", ["0", "2049", "-32", "elephant", "1e3", "٢٢٤", "9" * 200, "224.5"])
def test_nonsense_for_a_size_becomes_a_sentence(text):
    size, sentence = view.wanted_size(text)
    assert size is None
    assert "whole number from 1 to 2048" in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [(4, 4, "the same"), (2, 3, "× 1.5"), (3, 2, "÷ 1.5"), (0, 3, "–"), (3, 0, "–")],
)
def test_ratio(left, right, said):
    assert view.ratio(left, right) == said


def test_the_other_size_offered_is_the_one_networks_are_tested_at():
    assert view.larger(224) == 288
    assert view.larger(32) == 32 + 32 * (round(32 * 9 / 7 / 32) - 1)
