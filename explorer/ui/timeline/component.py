"""The timeline as a Streamlit component: laid out in Python, painted as SVG, clicks come back.

What the browser sends: `open`, the id of the architecture that was clicked; `families`, the lanes that are
switched on; `intent`, once, when a stop is first reached: a moment later a network may be wanted; `stands`,
once and where somebody waits for it, when the drawing is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import streamlit as st

from explorer import catalogue
from explorer.ui.kit import components, theme
from explorer.ui.kit.formatting import three_digits
from explorer.ui.timeline.layout import Line, Stop, short_name
from explorer.ui.timeline.scene import Scene, scene

WIDTH, WIDTH_PRESENTING = 1280.0, 764.0  # the narrower, the larger its type on a screen

_component = components.declare(
    "architecture_timeline",
    html='<div class="timeline"></div>',
    css=theme.asset("timeline/component.css"),
    js=theme.asset("timeline/browser.js"),
)


def draw(
    *,
    selected: str | None,
    families: Sequence[str],
    dark: bool,
    presenting: bool,
    key: str,
    on_open: Callable[[], None],
    on_families: Callable[[], None],
    on_intent: Callable[[], None],
    on_stands: Callable[[], None] | None = None,
) -> None:
    """Paint the timeline; `families` are the lanes switched on, none meaning all.

    A click puts an id under `st.session_state[key].open` and calls `on_open`.
    """
    with st.container(key="timeline_place"):  # the frame's style sheet reserves its height
        _component(
            key=key,
            data={
                **content(presenting),
                "selected": selected,
                "on": list(families),
                "first": on_stands is not None,
                "colours": {family: theme.family_colour(family, dark=dark) for family in catalogue.FAMILIES},
            },
            on_open_change=on_open,
            on_families_change=on_families,
            on_intent_change=on_intent,
            on_stands_change=on_stands or (lambda: None),
        )


@cache
def content(presenting: bool) -> dict[str, Any]:
    """Scene and texts as the browser reads them; the same for every visitor."""
    made = scene(WIDTH_PRESENTING if presenting else WIDTH, ladder=presenting)
    return {
        "width": made.width,
        "height": made.height,
        "card": _box(made.card),
        "lanes": [
            {
                "family": lane.family,
                "name": catalogue.FAMILIES[lane.family].name,
                "band": _box(lane.band),
                "label": _lines(lane.label),
                "stops": [_stop(each) for each in lane.stops],
            }
            for lane in made.lanes
        ],
        "links": [
            {"from": link.ancestor, "to": link.descendant, "points": link.points} for link in made.links
        ],
        "curve": _curve(made),
        "axis": {
            "y": made.axis.y,
            "turn": made.axis.turn,
            "years": [{**_line(line), "grid": line.x} for line in made.axis.years],
            "note": _line(made.axis.note),
        },
        "details": {**_architectures(), **_methods(), **_winners()},
        "ladder": _ladder(),
    }


def _stop(each: Stop) -> dict[str, Any]:
    return {"id": each.id, "x": each.x, "y": each.y, "r": each.radius, "lines": _lines(each.lines)}


def _curve(made: Scene) -> dict[str, Any]:
    curve = made.curve
    return {
        "box": _box(curve.box),
        "human": curve.human_y,
        "texts": _lines(curve.texts),
        "points": [
            {
                "id": f"ilsvrc{point.entry.year}",
                "x": point.x,
                "y": point.y,
                "lines": _lines(point.lines),
                "family": _family_of(point.entry),
                "open": point.entry.architecture,
            }
            for point in curve.points
        ],
    }


def _family_of(entry: catalogue.IlsvrcEntry) -> str:
    return catalogue.get(entry.architecture).family if entry.architecture else "handcrafted"


def _architectures() -> dict[str, dict[str, Any]]:
    """What the card says of each stop."""
    names = {each.id: each.name for each in catalogue.architectures().values()}
    return {
        each.id: {
            "over": f"{each.year} · {catalogue.FAMILIES[each.family].name}",
            "title": each.name,
            "parts": [["Ceiling", each.ceiling], ["Idea", each.idea]],
            "facts": _published(each),
            "under": _descent(each, names),
            "open": each.id,
        }
        for each in catalogue.milestones()
    }


# Key of a catalogue fact -> what the card calls it.
_SHOWN = {"params": "Parameters", "top1": "ImageNet top-1"}


def _published(each: catalogue.Architecture) -> list[list[str]]:
    """Name, value, source of the first published figure of each kind."""
    firsts = [(name, each.facts[key][0]) for key, name in _SHOWN.items() if each.facts.get(key)]
    return [[name, f"{three_digits(fact.value)} {fact.unit}", cited(fact)] for name, fact in firsts]


def _descent(each: catalogue.Architecture, names: Mapping[str, str]) -> str:
    ancestors = ", ".join(names[name] for name in each.came_from)
    return f"Builds on {ancestors}." if ancestors else ""


def _methods() -> dict[str, dict[str, Any]]:
    return {
        each.id: {
            "over": f"{each.year} · before networks: {each.step}",
            "title": each.name,
            "parts": [["Idea", each.idea], ["Breaks", each.breaks]],
            "facts": [],
            "under": each.paper.label,
            "open": "",
        }
        for each in catalogue.timeline().handcrafted
    }


def _winners() -> dict[str, dict[str, Any]]:
    story = catalogue.timeline()
    winners = {
        f"ilsvrc{each.year}": {
            "over": f"{each.year} · winner of the ImageNet challenge",
            "title": each.name,
            "parts": [["Measured on", each.top5_error.protocol], ["Note", each.top5_error.note]],
            "facts": [["Top-5 error", f"{each.top5_error.value:g} %", cited(each.top5_error)]],
            "under": "",
            "open": each.architecture or "",
        }
        for each in story.ilsvrc
    }
    human = {
        "over": "A person at the same task",
        "title": "Human level",
        "parts": [["Measured on", story.human.protocol], ["Note", story.human.note]],
        "facts": [["Top-5 error", f"{story.human.value:g} %", cited(story.human)]],
        "under": "",
        "open": "",
    }
    return {**winners, "human": human}


def _ladder() -> list[dict[str, str]]:
    entries = catalogue.architectures()
    return [
        {
            "id": rung.architecture,
            "year": str(entries[rung.architecture].year),
            "name": short_name(entries[rung.architecture].name),
            "family": entries[rung.architecture].family,
            "ceiling": rung.ceiling,
            "idea": rung.idea,
        }
        for rung in catalogue.timeline().ladder
    ]


def citations() -> list[tuple[str, str, str, str]]:
    """Every figure on the page: what, value, where it is printed, address."""
    rows = [
        (f"{each.name}, {name.lower()}", f"{three_digits(fact.value)} {fact.unit}", cited(fact), fact.url)
        for each in catalogue.milestones()
        for key, name in _SHOWN.items()
        for fact in each.facts.get(key, ())[:1]
    ]
    story = catalogue.timeline()
    errors = [(f"{each.year}, {each.name}, top-5 error", each.top5_error) for each in story.ilsvrc]
    errors.append(("Human level, top-5 error", story.human))
    return [(name, f"{fact.value:g} {fact.unit}", cited(fact), fact.url) for name, fact in errors] + rows


def cited(fact: catalogue.Fact) -> str:
    """Where a figure is printed and how it was measured, in one line."""
    return "; ".join(part for part in (fact.source, fact.protocol) if part)


def _box(box: Any) -> list[float]:
    return [box.x, box.y, box.width, box.height]


def _line(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "x": line.x,
        "y": line.y,
        "size": line.size,
        "anchor": line.anchor,
        "bold": line.bold,
        "width": line.box.width,
    }


def _lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [_line(line) for line in lines]
