"""The efficiency chart: any two measures, the story's networks named, and the frontier that nothing beats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.choosing.candidates import Candidate, Measure, as_deployed, tested_alike
from explorer.analysis.choosing.pareto import Frontier
from explorer.catalogue import FAMILIES, Architecture
from explorer.ui.efficiency.labels import PRESENTED, ROOMY, WIDEST, Label, Plot, laid_out
from explorer.ui.kit import theme
from explorer.ui.kit.formatting import count, size, three_digits
from explorer.ui.network.candidates import ALL_MEASURES

_DOT, _ON_FRONTIER, _OF_STORY, _LARGEST = 7.0, 9.0, 11.0, 42.0  # diameters in pixels
_FADED = 0.28
_TYPE, _TYPE_PRESENTED = 12.5, 14  # size of the names in pixels; `theme.style` enlarges the second
_SMALLEST_PRESENTED = 22  # pixels of a rem up to which a presentation counts as small
_EDGE = 0.035  # of the plot's width and height left free around the dots
_SPARE = 5  # names of the frontier beside those of the story
NO_FAMILY = "No family here"
BY_STORY, BY_FAMILY, BY_YEAR = "story", "family", "year"
CROWD, NO_YEAR = "All other weights", "Year not known"
_GREY = (CROWD, NO_FAMILY, NO_YEAR)


@dataclass(frozen=True)
class Axes:
    """What is drawn: names of measures, whether their axes are logarithmic; bubble: "" for equal dots.
    colour: BY_STORY (families for the networks of the story, grey for the crowd), BY_FAMILY or BY_YEAR.
    """

    x: str
    y: str
    x_log: bool
    y_log: bool
    bubble: str
    colour: str = BY_STORY

    def of_the_form_timed(self) -> Axes:
        """The same, counts as deployed where they stand beside a speed of the deployed form alone."""
        shown = [name for name in (self.x, self.y, self.bubble) if name]
        if {ALL_MEASURES[name].timed for name in shown} - {""} != {"deployed"}:
            return self
        x, y, bubble = (as_deployed(name) for name in (self.x, self.y, self.bubble))
        return replace(self, x=x, y=y, bubble=bubble)


@dataclass(frozen=True)
class Shown:
    """The points: candidates with both values, those values, and the frontier among them. All of length n.
    story: places of the weights that stand for a network of the story, and their networks.
    """

    candidates: Sequence[Candidate]
    x: np.ndarray
    y: np.ndarray
    bubble: np.ndarray
    frontier: Frontier
    story: Mapping[int, Architecture]


def text(name: str, value: float) -> str:
    """The value with its unit, three significant digits."""
    unit = ALL_MEASURES[name].unit
    if unit == "bytes":
        return size(value)
    if unit == "%":
        return f"{value:.2f} %"
    return f"{three_digits(value)} {unit}" if unit else count(value)


def scatter(
    shown: Shown,
    axes: Axes,
    marked: Sequence[str],
    recipe: str,
    labels: Mapping[int, Label] = MappingProxyType({}),
    *,
    dark: bool,
) -> go.Figure:
    """marked: ids with a ring. recipe: the network whose weights are joined by an arrow; "" for none.
    labels: of `names`.
    """
    figure = go.Figure()
    sizes = _sizes(shown, axes)
    hover = [_hover(shown, axes, place) for place in range(len(shown.candidates))]
    of_recipe = np.array([each.network == recipe for each in shown.candidates], bool)
    of_story = _of_story(shown)
    opacity = np.where(shown.frontier.on | of_recipe | of_story, 1.0, _FADED)
    for name, members, marker in _groups(shown, axes, dark):
        figure.add_scatter(  # SVG: where there is no graphics card it pans three times as smoothly as WebGL
            x=shown.x[members],
            y=shown.y[members],
            mode="markers",
            name=name,
            marker={
                "size": sizes[members].tolist(),  # a list: Plotly packs arrays, which then cannot be enlarged
                "opacity": opacity[members],
                "symbol": np.where(of_recipe[members], "diamond", "circle"),
                "line": {
                    "width": np.where(shown.frontier.on[members], 1.5, 0.0).tolist(),
                    "color": ink(dark),
                },
                **marker,
            },
            # An array of objects: Plotly walks a list of pairs value by value, twice.
            customdata=np.array([(shown.candidates[place].id, hover[place]) for place in members], object),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    _frontier_line(figure, shown, axes, dark)
    _rings(figure, shown, marked, sizes, dark)
    figure.update_layout(annotations=[_name(shown, axes, *each, dark) for each in labels.items()])
    _recipe_arrow(figure, shown, axes, of_recipe, dark)
    _axis(figure.update_xaxes, ALL_MEASURES[axes.x], axes.x_log, shown.x)
    _axis(figure.update_yaxes, ALL_MEASURES[axes.y], axes.y_log, shown.y)
    figure.update_layout(
        dragmode="select",
        hovermode="closest",
        hoverlabel={"align": "left"},
        clickmode="event+select",
        # Room for ticks and titles: where Plotly must make room itself, it draws twice.
        margin={"t": 10, "l": 62, "b": 64, "r": 40},
        showlegend=False,
        uirevision=f"{axes.x} {axes.y}",
        modebar={
            "uirevision": "the visitor's",  # a tool once chosen stays through redraws and other axes
            "orientation": "v",  # beside the dots
            "bgcolor": "rgba(0,0,0,0)",
            "color": theme.NEUTRAL.on(dark=dark),
            "activecolor": ink(dark),
        },
    )
    return figure


def legend(shown: Shown, axes: Axes, *, dark: bool) -> str:
    """HTML, not Plotly's own: that one takes most of a phone's chart for itself."""
    dots = [
        f'<span><i style="background:{marker["color"]}"></i>{escape(name)}</span>'
        for name, _, marker in sorted(_groups(shown, axes, dark), key=lambda group: group[0] in _GREY)
        if name
    ]
    dots.append(f'<span><i style="border-top:2px dotted {ink(dark)}"></i>Pareto frontier</span>')
    return f'<p class="legend">{"".join(dots)}</p>'


def ink(dark: bool) -> str:
    return theme.TEXT.on(dark=dark)


def _groups(shown: Shown, axes: Axes, dark: bool) -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
    """Name, places and colours of each kind of point, the families in their order; the last is on top."""
    if axes.colour == BY_YEAR:
        years = np.array([each.year or 0 for each in shown.candidates])
        known = np.flatnonzero(years)
        bar = {"title": {"text": "Year"}, "thickness": 14, "tickformat": "d"}
        yield "", known, {"color": years[known], "colorscale": "Viridis", "colorbar": bar}
        if (unknown := np.flatnonzero(years == 0)).size:
            yield NO_YEAR, unknown, {"color": theme.NEUTRAL.on(dark=dark)}
        return
    names = np.array([each.family or "" for each in shown.candidates])
    crowd = np.zeros(len(names), bool) if axes.colour == BY_FAMILY else ~_of_story(shown)
    if crowd.any():
        yield CROWD, np.flatnonzero(crowd), {"color": theme.NEUTRAL.on(dark=dark)}
    for family in ("", *FAMILIES):
        members = np.flatnonzero((names == family) & ~crowd)
        if members.size:
            title = FAMILIES[family].name if family else NO_FAMILY
            yield title, members, {"color": theme.family_colour(family, dark=dark)}


def _of_story(shown: Shown) -> np.ndarray:
    """bool [n]"""
    found = np.zeros(len(shown.candidates), bool)
    found[list(shown.story)] = True
    return found


def _sizes(shown: Shown, axes: Axes) -> np.ndarray:
    if not axes.bubble:
        return np.where(_of_story(shown), _OF_STORY, np.where(shown.frontier.on, _ON_FRONTIER, _DOT))
    largest = np.nanmax(shown.bubble) if np.isfinite(shown.bubble).any() else 1.0
    return _DOT + (_LARGEST - _DOT) * np.sqrt(np.nan_to_num(shown.bubble) / largest)  # area tells the value


def _hover(shown: Shown, axes: Axes, place: int) -> str:
    each = shown.candidates[place]
    told = [f"<b>{escape(each.name)}</b>", f"{each.published_by}: {escape(each.protocol)}"]
    if place in shown.story:
        told.append(f"Stands here for {escape(shown.story[place].name)}")
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


def names(shown: Shown, axes: Axes, rem: float = theme.REM) -> dict[int, Label]:
    """Dot -> its name and where it stands: the story's networks, and a few of the frontier, each once.

    rem: pixels of one rem where it is shown, as `theme.style` takes it.
    """
    named = {place: entry.name for place, entry in shown.story.items()}
    told = {shown.candidates[place].reference for place in named}
    spare: list[int] = []
    for place in _along_frontier(shown):
        if len(spare) < _SPARE and place not in named and shown.candidates[place].reference not in told:
            named[place] = _short(shown.candidates[place])
            told.add(shown.candidates[place].reference)
            spare.append(place)
    across, up = (_placed(values, log) for values, log in ((shown.x, axes.x_log), (shown.y, axes.y_log)))
    seen = {*shown.story, *np.flatnonzero(shown.frontier.on).tolist()}
    at = {place: (float(across[place]), float(up[place])) for place in seen}
    presented = None if rem == theme.REM else PRESENTED[rem > _SMALLEST_PRESENTED]
    return dict(_laid_out(tuple(named.items()), tuple(at.items()), tuple(spare), presented))


@lru_cache(maxsize=64)
def _laid_out(
    named: tuple[tuple[int, str], ...],
    at: tuple[tuple[int, tuple[float, float]], ...],
    spare: tuple[int, ...],
    presented: Plot | None,
) -> Mapping[int, Label]:
    """As `laid_out`, once for all visitors: 0.08 s, a third of what the server needs for a drawing."""
    size, plots = (_TYPE_PRESENTED, [presented]) if presented else (_TYPE, [ROOMY, WIDEST])
    return laid_out(dict(named), dict(at), _OF_STORY / 2, size, spare, plots)


def _along_frontier(shown: Shown) -> list[int]:
    """Places on the frontier, spread: its ends, the middle, the quarters and so on."""
    on = np.flatnonzero(shown.frontier.on)
    on = on[np.lexsort((shown.y[on], shown.x[on]))]
    spread = [round(share * (len(on) - 1)) for share in (1, 0, 0.5, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875)]
    return [int(on[number]) for number in dict.fromkeys(spread) if on.size]


def _name(shown: Shown, axes: Axes, place: int, label: Label, dark: bool) -> dict[str, Any]:
    """An annotation, joined to its dot by a thin line where it stands away from it."""
    return {
        "x": _on_axis(shown.x[place], axes.x_log),
        "y": _on_axis(shown.y[place], axes.y_log),
        "text": escape(label.text),
        "font": {
            "size": label.size,
            "color": ink(dark) if place in shown.story else theme.NEUTRAL.on(dark=dark),
        },
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.75,
        "arrowcolor": theme.NEUTRAL.on(dark=dark) if label.far else "rgba(0,0,0,0)",
        "ax": label.right,
        "ay": -label.up,
        "borderpad": 0,
        "standoff": _OF_STORY / 2,
    }


def shares(values: np.ndarray, log: bool) -> np.ndarray:
    """Where each value stands between the least and the most, 0 to 1."""
    placed = np.log10(values) if log else values
    low, high = placed.min(), placed.max()
    return (placed - low) / ((high - low) or 1.0)


def _range(values: np.ndarray, log: bool) -> tuple[float, float]:
    """Ends of the axis, of which a logarithmic one takes the logarithms."""
    placed = np.log10(values) if log else values
    low, high = float(placed.min()), float(placed.max())
    edge = _EDGE * ((high - low) or 1.0) / (1 - 2 * _EDGE)
    return (low - edge if log or low < 0 else max(0.0, low - edge)), high + edge


def _placed(values: np.ndarray, log: bool) -> np.ndarray:
    """Where each value stands along its axis, 0 to 1."""
    low, high = _range(values, log)
    return ((np.log10(values) if log else values) - low) / (high - low)


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
                "size": (sizes[places] + 8).tolist(),
                "symbol": "circle-open",
                "color": theme.ACCENT.on(dark=dark),
                "line": {"width": 3},
            },
        )


def recipes(shown: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Networks with several weights that were tested alike, with these; results of papers are no weights."""
    by_network: dict[str, list[Candidate]] = {}
    for each in shown:
        if each.published_by != "paper":
            by_network.setdefault(each.network, []).append(each)
    found = {network: tested_alike(those) for network, those in by_network.items()}
    return {network: alike for network, alike in found.items() if alike}


def _recipe_arrow(figure: go.Figure, shown: Shown, axes: Axes, of_recipe: np.ndarray, dark: bool) -> None:
    """From the worst weights of the network to the best, of those that were tested alike."""
    members = [place for place in np.flatnonzero(of_recipe).tolist() if shown.candidates[place].weights]
    alike = {each.id for each in tested_alike(shown.candidates[place] for place in members)}
    same = [place for place in members if shown.candidates[place].id in alike]
    if not same:
        return
    sign = 1 if ALL_MEASURES[axes.y].better == "more" else -1
    ordered = sorted(same, key=lambda place: float(sign * shown.y[place]))
    worst, best = ordered[0], ordered[-1]
    gain = shown.y[best] - shown.y[worst]
    unit = "points" if ALL_MEASURES[axes.y].unit == "%" else ALL_MEASURES[axes.y].unit
    trained_on = {shown.candidates[place].training_data for place in (worst, best)}
    other = "recipe" if len(trained_on) == 1 else "recipe and data"
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
        text=f"<b>{gain:+.3g} {unit}</b><br>same network and test, other {other}",
        bgcolor=theme.SURFACE.on(dark=dark),
    )  # fmt: skip


def _axis(update: Callable[..., object], measure: Measure, log: bool, values: np.ndarray) -> None:
    unit = f" [{measure.unit}]" if measure.unit else ""
    way = "← better" if measure.better == "less" else "better →"  # the upright title turns the arrow with it
    update(
        title=f"{measure.title}{unit}   <i>{way}</i>",
        type="log" if log else "linear",
        range=_range(values, log),
        tickformat="" if measure.unit in ("%", "ms") else "~s",
        showgrid=True,
    )
