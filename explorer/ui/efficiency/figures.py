"""The efficiency chart: any two measures, the story's networks named, and the frontier that nothing beats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np

from explorer.analysis.choosing.candidates import Candidate, Measure, as_deployed, tested_alike
from explorer.analysis.choosing.pareto import Frontier
from explorer.catalogue import FAMILIES, Architecture
from explorer.inference.overlay import colored
from explorer.ui.efficiency.labels import PRESENTED, ROOMY, WIDEST, Label, Plot, laid_out
from explorer.ui.kit import theme
from explorer.ui.kit.formatting import count, size, three_digits
from explorer.ui.network.candidates import ALL_MEASURES

_DOT, _ON_FRONTIER, _OF_STORY, _LARGEST = 7.0, 9.0, 11.0, 42.0  # diameters in pixels
_FADED = 0.28
_TYPE, _TYPE_PRESENTED = 12.5, 14  # size of the names in pixels; a presentation enlarges the second
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


@dataclass(frozen=True)
class Dot:
    """diameter: in pixels. rimmed: on the frontier. ringed: selected. hover: HTML."""

    id: str
    x: float
    y: float
    diameter: float
    colour: str
    opacity: float
    diamond: bool
    rimmed: bool
    ringed: bool
    group: str
    hover: str


@dataclass(frozen=True)
class Axis:
    """range: its ends, of a logarithmic axis their logarithms to base 10. prefixes: 4 G, not 4000000000."""

    title: str
    better: Literal["less", "more"]
    log: bool
    range: tuple[float, float]
    prefixes: bool


@dataclass(frozen=True)
class Name:
    """A dot's name beside it; of_story: in the page's ink, others grey."""

    x: float
    y: float
    label: Label
    of_story: bool


@dataclass(frozen=True)
class Arrow:
    """From the worst weights of one network to the best, and what that tells, in lines."""

    start: tuple[float, float]
    end: tuple[float, float]
    lines: tuple[str, str]


@dataclass(frozen=True)
class Key:
    """A line of the legend. look: CSS background of a dot or a bar, or "" for the frontier's line."""

    name: str
    look: str
    bar: bool = False


@dataclass(frozen=True)
class Scatter:
    """What is drawn, in the values of its axes. dots: the last is on top. frontier: corners of its line."""

    x: Axis
    y: Axis
    dots: tuple[Dot, ...]
    frontier: tuple[tuple[float, float], ...]
    names: tuple[Name, ...]
    arrow: Arrow | None
    legend: tuple[Key, ...]


def scatter(
    shown: Shown,
    axes: Axes,
    marked: Sequence[str],
    recipe: str,
    labels: Mapping[int, Label] = MappingProxyType({}),
    *,
    dark: bool,
) -> Scatter:
    """marked: ids with a ring. recipe: the network whose weights are joined by an arrow; "" for none.
    labels: of `names`.
    """
    sizes = _sizes(shown, axes)
    of_recipe = np.array([each.network == recipe for each in shown.candidates], bool)
    opaque = shown.frontier.on | of_recipe | _of_story(shown)
    chosen = frozenset(marked)
    groups = list(_groups(shown, axes, dark))
    dots = tuple(
        Dot(
            id=shown.candidates[place].id,
            x=float(shown.x[place]),
            y=float(shown.y[place]),
            diameter=round(float(sizes[place]), 1),
            colour=colour,
            opacity=1.0 if opaque[place] else _FADED,
            diamond=bool(of_recipe[place]),
            rimmed=bool(shown.frontier.on[place]),
            ringed=shown.candidates[place].id in chosen,
            group=name,
            hover=_hover(shown, axes, place),
        )
        for name, places, colours in groups
        for place, colour in zip(places.tolist(), colours, strict=True)
    )
    return Scatter(
        _axis(ALL_MEASURES[axes.x], axes.x_log, shown.x),
        _axis(ALL_MEASURES[axes.y], axes.y_log, shown.y),
        dots,
        _frontier_line(shown, axes),
        tuple(
            Name(float(shown.x[place]), float(shown.y[place]), label, place in shown.story)
            for place, label in labels.items()
        ),
        _recipe_arrow(shown, axes, of_recipe),
        _legend(shown, axes, groups),
    )


def ink(dark: bool) -> str:
    return theme.TEXT.on(dark=dark)


def _groups(shown: Shown, axes: Axes, dark: bool) -> Iterator[tuple[str, np.ndarray, Sequence[str]]]:
    """Name, places and their colours for each kind of point, families in their order; the last is on top."""
    grey = theme.NEUTRAL.on(dark=dark)
    if axes.colour == BY_YEAR:
        years = np.array([each.year or 0 for each in shown.candidates])
        known, unknown = np.flatnonzero(years), np.flatnonzero(years == 0)
        yield "", known, _by_value(shares(years[known], log=False)) if known.size else ()
        if unknown.size:
            yield NO_YEAR, unknown, [grey] * unknown.size
        return
    names = np.array([each.family or "" for each in shown.candidates])
    crowd = np.zeros(len(names), bool) if axes.colour == BY_FAMILY else ~_of_story(shown)
    if crowd.any():
        yield CROWD, np.flatnonzero(crowd), [grey] * int(crowd.sum())
    for family in ("", *FAMILIES):
        members = np.flatnonzero((names == family) & ~crowd)
        if members.size:
            title = FAMILIES[family].name if family else NO_FAMILY
            yield title, members, [theme.family_colour(family, dark=dark)] * members.size


def _by_value(shares: np.ndarray) -> list[str]:
    """Colours of values from 0 to 1."""
    return [f"#{bytes(colour).hex()}" for colour in colored(shares[None], "Viridis")[0]]


def _legend(
    shown: Shown, axes: Axes, groups: Sequence[tuple[str, np.ndarray, Sequence[str]]]
) -> tuple[Key, ...]:
    """The greys last, then the frontier."""
    named = sorted((each for each in groups if each[0]), key=lambda group: group[0] in _GREY)
    keys = [Key(name, colours[0]) for name, _, colours in named]
    years = [each.year for each in shown.candidates if each.year]
    if axes.colour == BY_YEAR and years:
        stops = ", ".join(_by_value(np.linspace(0, 1, 9)))
        bar = f"linear-gradient(90deg, {stops})"
        keys.insert(0, Key(f"Year, {min(years)} to {max(years)}", bar, bar=True))
    return (*keys, Key("Pareto frontier", ""))


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


def _frontier_line(shown: Shown, axes: Axes) -> tuple[tuple[float, float], ...]:
    """Steps: what lies beyond a corner is beaten by the point before it."""
    on = np.flatnonzero(shown.frontier.on)
    on = on[np.lexsort((shown.y[on], shown.x[on]))]
    less = ALL_MEASURES[axes.x].better == "less"
    points = [(float(shown.x[place]), float(shown.y[place])) for place in on]
    corners = points[:1]
    for before, after in pairwise(points):
        corners += [(after[0], before[1]) if less else (before[0], after[1]), after]
    return tuple(corners)


def names(shown: Shown, axes: Axes, rem: float = theme.REM) -> dict[int, Label]:
    """Dot -> its name and where it stands: the story's networks, and a few of the frontier, each once.

    rem: pixels of one rem where it is shown.
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


def _short(each: Candidate) -> str:
    return each.reference.partition(":")[2] if each.published_by != "paper" else each.name.partition(",")[0]


def recipes(shown: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Networks with several weights that were tested alike, with these; results of papers are no weights."""
    by_network: dict[str, list[Candidate]] = {}
    for each in shown:
        if each.published_by != "paper":
            by_network.setdefault(each.network, []).append(each)
    found = {network: tested_alike(those) for network, those in by_network.items()}
    return {network: alike for network, alike in found.items() if alike}


def _recipe_arrow(shown: Shown, axes: Axes, of_recipe: np.ndarray) -> Arrow | None:
    """From the worst weights of the network to the best, of those that were tested alike."""
    members = [place for place in np.flatnonzero(of_recipe).tolist() if shown.candidates[place].weights]
    alike = {each.id for each in tested_alike(shown.candidates[place] for place in members)}
    same = [place for place in members if shown.candidates[place].id in alike]
    if not same:
        return None
    sign = 1 if ALL_MEASURES[axes.y].better == "more" else -1
    ordered = sorted(same, key=lambda place: float(sign * shown.y[place]))
    worst, best = ordered[0], ordered[-1]
    gain = shown.y[best] - shown.y[worst]
    unit = "points" if ALL_MEASURES[axes.y].unit == "%" else ALL_MEASURES[axes.y].unit
    trained_on = {shown.candidates[place].training_data for place in (worst, best)}
    other = "recipe" if len(trained_on) == 1 else "recipe and data"
    start, end = ((float(shown.x[place]), float(shown.y[place])) for place in (worst, best))
    return Arrow(start, end, (f"{gain:+.3g} {unit}", f"same network and test, other {other}"))


def _axis(measure: Measure, log: bool, values: np.ndarray) -> Axis:
    unit = f" [{measure.unit}]" if measure.unit else ""
    return Axis(
        f"{measure.title}{unit}", measure.better, log, _range(values, log), measure.unit not in ("%", "ms")
    )
