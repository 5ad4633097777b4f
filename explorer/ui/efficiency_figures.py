"""The efficiency chart: any two measures, the frontier that nothing beats in both, the rest faded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.candidates import Candidate, Measure, as_deployed
from explorer.analysis.pareto import Frontier
from explorer.catalogue import FAMILIES
from explorer.ui import theme
from explorer.ui.efficiency_data import ALL_MEASURES
from explorer.ui.formatting import count, size, three_digits

_DOT, _ON_FRONTIER, _LARGEST = 7.0, 11.0, 42.0  # diameters in pixels
_FADED = 0.28
_NAMED = 8  # points of the frontier that carry their name
NO_FAMILY = "No family here"


@dataclass(frozen=True)
class Axes:
    """What is drawn: names of measures, whether their axes are logarithmic; bubble: "" for equal dots."""

    x: str
    y: str
    x_log: bool
    y_log: bool
    bubble: str
    by_year: bool

    def of_the_form_timed(self) -> Axes:
        """The same, counts as deployed where they stand beside a speed of the deployed form alone."""
        shown = [name for name in (self.x, self.y, self.bubble) if name]
        if {ALL_MEASURES[name].timed for name in shown} - {""} != {"deployed"}:
            return self
        x, y, bubble = (as_deployed(name) for name in (self.x, self.y, self.bubble))
        return replace(self, x=x, y=y, bubble=bubble)


@dataclass(frozen=True)
class Shown:
    """The points: candidates with both values, those values, and the frontier among them. All of length n."""

    candidates: Sequence[Candidate]
    x: np.ndarray
    y: np.ndarray
    bubble: np.ndarray
    frontier: Frontier


def text(name: str, value: float) -> str:
    """The value with its unit, three significant digits."""
    unit = ALL_MEASURES[name].unit
    if unit == "bytes":
        return size(value)
    if unit == "%":
        return f"{value:.2f} %"
    return f"{three_digits(value)} {unit}" if unit else count(value)


def scatter(shown: Shown, axes: Axes, marked: Sequence[str], recipe: str, *, dark: bool) -> go.Figure:
    """marked: ids with a ring. recipe: the network whose weights are joined by an arrow; "" for none."""
    figure = go.Figure()
    sizes = _sizes(shown, axes)
    hover = [_hover(shown, axes, place) for place in range(len(shown.candidates))]
    of_recipe = np.array([each.network == recipe for each in shown.candidates], bool)
    for name, members, marker in _groups(shown, axes, dark):
        figure.add_scatter(  # SVG: where there is no graphics card it pans three times as smoothly as WebGL
            x=shown.x[members],
            y=shown.y[members],
            mode="markers",
            name=name,
            legendgroup=name,
            showlegend=False,
            marker={
                "size": sizes[members],
                "opacity": np.where(shown.frontier.on[members] | of_recipe[members], 1.0, _FADED),
                "symbol": np.where(of_recipe[members], "diamond", "circle"),
                "line": {"width": np.where(shown.frontier.on[members], 1.5, 0.0), "color": ink(dark)},
                **marker,
            },
            customdata=[(shown.candidates[place].id, hover[place]) for place in members],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
        if name:  # the legend would take the colour of the first dot, which may be a faded one
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=name,
                legendgroup=name,
                marker={"size": _ON_FRONTIER, "color": marker["color"]},
            )
    _frontier_line(figure, shown, axes, dark)
    _rings(figure, shown, marked, sizes, dark)
    _recipe_arrow(figure, shown, axes, of_recipe, dark)
    _axis(figure.update_xaxes, ALL_MEASURES[axes.x], axes.x_log)
    _axis(figure.update_yaxes, ALL_MEASURES[axes.y], axes.y_log)
    figure.update_layout(
        dragmode="pan",
        hovermode="closest",
        hoverlabel={"align": "left"},
        clickmode="event+select",
        # Room for two rows of legend, ticks and titles: where Plotly must make room itself, it draws twice.
        margin={"t": 88, "l": 62, "b": 64, "r": 40},
        legend={"itemsizing": "constant"},
        uirevision=f"{axes.x} {axes.y}",
        modebar={
            "uirevision": "the visitor's",  # a tool once chosen stays through redraws and other axes
            "orientation": "v",  # beside the dots: above them it would lie on the legend
            "bgcolor": "rgba(0,0,0,0)",
            "color": theme.NEUTRAL.on(dark=dark),
            "activecolor": ink(dark),
        },
    )
    return figure


def ink(dark: bool) -> str:
    return theme.TEXT.on(dark=dark)


def _groups(shown: Shown, axes: Axes, dark: bool) -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
    """Name, places and colours of each kind of point, the families in their order."""
    if axes.by_year:
        years = np.array([each.year or 0 for each in shown.candidates])
        known = np.flatnonzero(years)
        bar = {"title": {"text": "Year"}, "thickness": 14, "tickformat": "d"}
        yield "", known, {"color": years[known], "colorscale": "Viridis", "colorbar": bar}
        if (unknown := np.flatnonzero(years == 0)).size:
            yield "Year not known", unknown, {"color": theme.NEUTRAL.on(dark=dark)}
        return
    names = np.array([each.family or "" for each in shown.candidates])
    for family in (*FAMILIES, ""):
        members = np.flatnonzero(names == family)
        if members.size:
            title = FAMILIES[family].name if family else NO_FAMILY
            yield title, members, {"color": theme.family_colour(family, dark=dark)}


def _sizes(shown: Shown, axes: Axes) -> np.ndarray:
    if not axes.bubble:
        return np.where(shown.frontier.on, _ON_FRONTIER, _DOT)
    largest = np.nanmax(shown.bubble) if np.isfinite(shown.bubble).any() else 1.0
    return _DOT + (_LARGEST - _DOT) * np.sqrt(np.nan_to_num(shown.bubble) / largest)  # area tells the value


def _hover(shown: Shown, axes: Axes, place: int) -> str:
    each = shown.candidates[place]
    told = [f"<b>{escape(each.name)}</b>", f"{each.published_by}: {escape(each.protocol)}"]
    told.append(" · ".join(filter(None, (str(each.year or ""), each.training_data, f"{each.image_size} px"))))
    for name in dict.fromkeys(filter(None, (axes.x, axes.y, axes.bubble))):
        value = each.value(name)
        told.append(f"{ALL_MEASURES[name].title}: {'not known' if value is None else text(name, value)}")
        if as_deployed(name) in each.values and name != as_deployed(name):
            told[-1] += f" as trained, {text(name, each.values[as_deployed(name)])} as deployed"
    if shown.frontier.on[place]:
        told.append("<b>On the frontier</b>")
    elif (better := int(shown.frontier.dominated_by[place])) >= 0:
        beaten = shown.candidates[better]
        told.append(
            f"Beaten by <b>{escape(beaten.name)}</b>: "
            f"{text(axes.x, shown.x[better])}, {text(axes.y, shown.y[better])}"
        )
    return "<br>".join(told)


def _frontier_line(figure: go.Figure, shown: Shown, axes: Axes, dark: bool) -> None:
    on = np.flatnonzero(shown.frontier.on)
    on = on[np.lexsort((shown.y[on], shown.x[on]))]
    less = ALL_MEASURES[axes.x].better == "less"
    figure.add_scatter(
        x=shown.x[on],
        y=shown.y[on],
        mode="lines",
        name="Pareto frontier",
        line={"color": ink(dark), "width": 1.5, "dash": "dot", "shape": "hv" if less else "vh"},
        hoverinfo="skip",
    )
    for place in _apart(shown, axes, on):
        figure.add_annotation(
            x=_on_axis(shown.x[place], axes.x_log),
            y=_on_axis(shown.y[place], axes.y_log),
            text=escape(_short(shown.candidates[place])),
            showarrow=False,
            xanchor="right" if less else "left",
            yanchor="bottom",
            xshift=-6 if less else 6,
            yshift=4,
        )


def _apart(shown: Shown, axes: Axes, on: np.ndarray) -> list[int]:
    """Points of the frontier far enough from each other to carry a name each, the ends first."""
    if not on.size:
        return []
    along, up = (shares(values, log) for values, log in ((shown.x, axes.x_log), (shown.y, axes.y_log)))
    named: list[int] = []
    for place in (on[-1], on[0], *on[1:-1]):
        if len(named) < _NAMED and all(
            abs(along[place] - along[other]) > 0.13 or abs(up[place] - up[other]) > 0.08 for other in named
        ):
            named.append(int(place))
    return named


def shares(values: np.ndarray, log: bool) -> np.ndarray:
    """Where each value stands along its axis, 0 to 1."""
    placed = np.log10(values) if log else values
    low, high = placed.min(), placed.max()
    return (placed - low) / ((high - low) or 1.0)


def _on_axis(value: float, log: bool) -> float:
    """Annotations of a logarithmic axis are placed by the logarithm."""
    return float(np.log10(value)) if log else float(value)


def _short(each: Candidate) -> str:
    return each.reference.partition(":")[2] if each.published_by != "paper" else each.name.partition(",")[0]


def _rings(figure: go.Figure, shown: Shown, marked: Sequence[str], sizes: np.ndarray, dark: bool) -> None:
    places = [place for place, each in enumerate(shown.candidates) if each.id in marked]
    if places:
        figure.add_scatter(
            x=shown.x[places],
            y=shown.y[places],
            mode="markers",
            name="Selected",
            hoverinfo="skip",
            marker={
                "size": sizes[places] + 8,
                "symbol": "circle-open",
                "color": theme.ACCENT.on(dark=dark),
                "line": {"width": 3},
            },
        )


def recipes(shown: Sequence[Candidate]) -> dict[str, int]:
    """Networks with several weights at one image size, and at which most of them: network -> image size."""
    counted: dict[tuple[str, int], int] = {}
    for each in shown:
        if each.published_by != "paper":
            counted[each.network, each.image_size] = counted.get((each.network, each.image_size), 0) + 1
    several = sorted((key for key, number in counted.items() if number > 1), key=lambda key: counted[key])
    return dict(several)


def _recipe_arrow(figure: go.Figure, shown: Shown, axes: Axes, of_recipe: np.ndarray, dark: bool) -> None:
    """From the worst weights of the network to the best, at the size most of them have."""
    members = [place for place in np.flatnonzero(of_recipe).tolist() if shown.candidates[place].weights]
    at = next(iter(recipes([shown.candidates[place] for place in members]).values()), None)
    same = [place for place in members if shown.candidates[place].image_size == at]
    if len(same) < 2:
        return
    sign = 1 if ALL_MEASURES[axes.y].better == "more" else -1
    ordered = sorted(same, key=lambda place: float(sign * shown.y[place]))
    worst, best = ordered[0], ordered[-1]
    gain = shown.y[best] - shown.y[worst]
    unit = "points" if ALL_MEASURES[axes.y].unit == "%" else ALL_MEASURES[axes.y].unit
    x, y, log_x, log_y = shown.x, shown.y, axes.x_log, axes.y_log
    figure.add_annotation(
        x=_on_axis(x[best], log_x), y=_on_axis(y[best], log_y),
        ax=_on_axis(x[worst], log_x), ay=_on_axis(y[worst], log_y),
        xref="x", yref="y", axref="x", ayref="y",
        arrowhead=2, arrowsize=1.2, arrowwidth=2.5, arrowcolor=ink(dark), text="",
    )  # fmt: skip
    figure.add_annotation(
        x=_on_axis(x[best], log_x), y=_on_axis((y[best] + y[worst]) / 2, log_y), showarrow=False,
        xanchor="left", xshift=10, align="left",
        text=f"<b>{gain:+.3g} {unit}</b><br>same network, other recipe",
        bgcolor=theme.SURFACE.on(dark=dark),
    )  # fmt: skip


def _axis(update: Callable[..., object], measure: Measure, log: bool) -> None:
    unit = f" [{measure.unit}]" if measure.unit else ""
    way = "← better" if measure.better == "less" else "better →"  # the upright title turns the arrow with it
    update(
        title=f"{measure.title}{unit}   <i>{way}</i>",
        type="log" if log else "linear",
        rangemode="normal" if log else "nonnegative",
        tickformat="" if measure.unit in ("%", "ms") else "~s",
        showgrid=True,
    )
