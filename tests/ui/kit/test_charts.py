"""The sums on the charts are the sums of what went in."""

import pytest

from explorer.ui.kit import charts, theme
from explorer.ui.kit.bars import Part

VGG_PARAMS = (Part("Spatial", 14_714_688, "#111111"), Part("Linear", 123_642_856, "#222222"))
VGG_MACS = (Part("Spatial", 15_346_630_656, "#111111"), Part("Linear", 123_633_664, "#222222"))


@pytest.fixture
def figure():
    return charts.shares({"Parameters": VGG_PARAMS, "MACs": VGG_MACS}, "share of the network")


def test_each_bar_is_a_hundred_percent(figure):
    totals = {"Parameters": 0.0, "MACs": 0.0}
    for trace in figure.data:
        for measure, percent in zip(trace.y, trace.x, strict=True):
            totals[measure] += percent
    assert totals == {"Parameters": pytest.approx(100), "MACs": pytest.approx(100)}


def test_the_exact_amounts_are_on_hover_and_the_big_shares_are_named(figure):
    linear = next(trace for trace in figure.data if trace.name == "Linear")
    assert linear.customdata[0][0] == "123,642,856"
    assert linear.text[0].replace("\u00a0", " ") == "Linear 89.4 %"
    assert linear.text[1] == ""  # 0.8 % of the MACs: too narrow for a name


def test_a_measure_without_amounts_is_an_empty_bar():
    figure = charts.shares({"Parameters": (Part("Pool", 0, "#111111"),)}, "share")
    assert figure.data[0].x == (0.0,)


def test_names_of_strangers_are_escaped():
    hostile = "<img src=x onerror=alert(1)>"
    figure = charts.shares({"MACs": (Part(hostile, 3, "#111111"),)}, "share")
    assert "<img" not in figure.to_json()


@pytest.mark.parametrize("colour", ["#FFFFFF", "#000000", "#B38AD7", "#3968CD", "#F5DD5C", "#767676"])
def test_text_on_a_colour_can_be_read(colour):
    """WCAG's level AA for normal type: at least 4.5 to 1, which black or white reaches on any colour."""
    one, two = theme.luminance(colour) + 0.05, theme.luminance(theme.ink_on(colour)) + 0.05
    assert max(one, two) / min(one, two) >= 4.5
