"""Bars of shares: pieces as long as what went in, and no name of a stranger that becomes an element."""

import re

import pytest

from explorer.ui.kit import bars, formatting
from explorer.ui.kit.bars import Part

VGG = {
    "Parameters": (Part("Spatial", 14_714_688, "#111111"), Part("Linear", 123_642_856, "#222222")),
    "MACs": (Part("Spatial", 15_346_630_656, "#111111"), Part("Linear", 123_633_664, "#222222")),
}


def test_each_bar_is_a_whole():
    html = bars.stacked(VGG, formatting.exact)
    for row in html.split('class="row"')[1:]:
        assert sum(map(float, re.findall(r"flex-grow:([\d.]+)", row))) == pytest.approx(1, abs=1e-5)


def test_the_large_shares_are_named_and_all_are_told():
    html = bars.stacked(VGG, formatting.exact).replace("\u00a0", " ")
    assert "<b>Linear 89.4 %</b>" in html
    assert html.count("<b>Linear") == 1  # 0.8 % of the MACs: too narrow for a name
    assert 'aria-label="MACs. Spatial: 15,346,630,656 (99.2 %); Linear: 123,633,664 (0.8 %)"' in html


def test_a_measure_without_amounts_is_an_empty_bar():
    html = bars.stacked({"Parameters": (Part("Pool", 0, "#111111"),)}, formatting.exact)
    assert 'aria-label="Parameters. Pool: 0"' in html
    assert "flex-grow" not in html


def test_names_of_strangers_are_escaped():
    assert "<img" not in bars.stacked({"<img>": (Part("<img src=x>", 3, "#111111"),)}, formatting.exact)
