"""Panels for a phone: one below the other, each with its own title, axes and colours."""

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.ui.kit import small_multiples
from explorer.ui.normalisation import figures as normalisation_figures


def in_a_row() -> go.Figure:
    return row("How the gradient of the loss goes back, layer by layer", "Left", "Right")


def row(*titles: str) -> go.Figure:
    panels = small_multiples.facets(1, len(titles))
    traces = [{"type": "scatter", "x": [1, 2], "y": [1, 2], **panel.axes} for panel in panels]
    return small_multiples.row(traces, [(panel, {}, {}) for panel in panels], titles)


def with_colour_bars() -> go.Figure:
    maps = np.arange(2 * 3 * 4.0).reshape(2, 3, 2, 2)
    mark = np.zeros((2, 3, 2, 2), int)
    mark[:, 0], mark[0] = 2, 1
    mark[:, 0] = 2
    return normalisation_figures.axes({"before": maps, "after": maps}, mark, ["one", "two"], dark=False)


@pytest.mark.parametrize("figure", [in_a_row(), with_colour_bars()], ids=["row", "maps"])
def test_columns_stand_one_below_the_other(figure: go.Figure):
    made, height = small_multiples.stacked(figure, 400)
    layout = made.layout.to_plotly_json()
    down = [axis["domain"] for name, axis in layout.items() if name.startswith("yaxis")]
    assert len(down) > 1
    assert all(above[0] > below[1] for above, below in itertools.pairwise(down))
    assert min(low for low, _ in down) >= 0
    assert {tuple(axis["domain"]) for name, axis in layout.items() if name.startswith("xaxis")} == {(0, 1)}
    assert [note["y"] for note in layout["annotations"]] == pytest.approx([top for _, top in down])
    assert all(note["x"] == pytest.approx(0.5) for note in layout["annotations"])
    assert height > 400


def test_a_colour_bar_goes_with_its_panel():
    made, _ = small_multiples.stacked(with_colour_bars(), 400)
    bars = [trace.colorbar for trace in made.data if trace.showscale]
    domains = [made.layout.yaxis.domain, made.layout.yaxis2.domain]
    assert [bar.y for bar in bars] == pytest.approx([sum(domain) / 2 for domain in domains])
    assert all(bar.len == pytest.approx(high - low) for bar, (low, high) in zip(bars, domains, strict=True))


def test_what_has_one_column_stays_as_it_is():
    figure = go.Figure(go.Bar(y=[1]))
    assert small_multiples.stacked(figure, 300) == (figure, 300)
    assert small_multiples.stacked(row("One"), 300)[1] == 300


@pytest.mark.parametrize("columns", range(1, 8))
@pytest.mark.parametrize("gap", [0.03, 0.05, 0.08, 0.09])
def test_panels_fill_the_figure_and_stay_in_it(columns: int, gap: float):
    """Plotly refuses 1.0000000000000002 for the end of an axis."""
    panels = small_multiples.facets(2, columns, gap, (0.74, 0.26))
    assert all(0 <= p.left < p.right <= 1 and 0 <= p.bottom < p.top <= 1 for p in panels)
    assert [panels[0].left, panels[-1].right] == pytest.approx([0, 1])
    assert [panels[0].top, panels[-1].bottom] == pytest.approx([1, 0])
