"""What the efficiency chart draws, on candidates made up for it."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.analysis.choosing.candidates import Candidate
from explorer.analysis.choosing.pareto import frontier
from explorer.catalogue import architectures
from explorer.catalogue.printed_tables import printed_tables
from explorer.serving.measurements import Measurement
from explorer.ui.efficiency.figures import (
    BY_FAMILY,
    BY_YEAR,
    CROWD,
    Axes,
    Dot,
    Scatter,
    Shown,
    names,
    recipes,
    scatter,
    text,
)
from explorer.ui.efficiency.printed import printed
from explorer.ui.kit import theme
from explorer.ui.network.candidates import Data, with_measured

SMALL = Candidate(
    id="small", name="small.a1", reference="timm:small", weights="timm:small.a1", published_by="timm",
    architecture=None, family="compact", year=2017, image_size=224, training_data="ImageNet-1k", licence="",
    protocol="1 crop 224", values={"macs": 1e8, "top1": 70.0, "params": 4e6},
)  # fmt: skip
BIG = replace(SMALL, id="big", name="big.a1", reference="timm:big", family="residual", year=2015,
              values={"macs": 4e9, "top1": 80.0, "params": 25e6})  # fmt: skip
OLD = replace(BIG, id="old", name="big.old", values={"macs": 4e9, "top1": 76.0, "params": 25e6})
ODD = replace(BIG, id="odd", name="odd", reference="timm:odd", family=None, year=None,
              values={"macs": 5e9, "top1": 79.0})  # fmt: skip
ALL = (SMALL, BIG, OLD, ODD)
STORY = {2: architectures()["resnet50"]}
AXES = Axes("macs", "top1", x_log=True, y_log=False, bubble="")


def shown(candidates=ALL, bubble: str = "") -> Shown:
    column = Data(tuple(candidates), (), None, 0).column
    places = range(len(candidates))
    story = {place: entry for place, entry in STORY.items() if place < len(candidates)}
    x, y = column("macs", places), column("top1", places)
    return Shown(candidates, x, y, column(bubble, places), frontier(x, y), story)


def points(made: Scatter) -> dict[str, Dot]:
    return {dot.id: dot for dot in made.dots}


def test_the_beaten_of_the_crowd_are_faded_and_name_what_beats_them() -> None:
    drawn = points(scatter(shown(), AXES, (), "", dark=False))
    assert {each: found.opacity for each, found in drawn.items()} == {
        "small": 1.0, "big": 1.0, "old": 1.0, "odd": pytest.approx(0.28),
    }  # fmt: skip
    assert "Beaten by <b>big.a1</b>: 4.00\u00a0G, 80.00 %" in drawn["old"].hover
    assert "On the frontier" in drawn["small"].hover


@pytest.mark.parametrize("dark", [False, True])
def test_colour_is_the_familys(dark: bool) -> None:
    made = scatter(shown(), replace(AXES, colour=BY_FAMILY), (), "", dark=dark)
    colours = {dot.group: dot.colour for dot in made.dots}
    assert colours["Compact"] == theme.family_colour("compact", dark=dark)
    assert colours["No family here"] == theme.NEUTRAL.on(dark=dark)


@pytest.mark.parametrize("dark", [False, True])
def test_the_story_is_in_colour_and_named_and_the_crowd_is_grey(dark: bool) -> None:
    made = scatter(shown(), AXES, (), "", names(shown(), AXES), dark=dark)
    grey = (CROWD, theme.NEUTRAL.on(dark=dark))
    assert {dot.id: (dot.group, dot.colour) for dot in made.dots} == {
        "small": grey, "big": grey, "odd": grey,
        "old": ("Skip connections", theme.family_colour("residual", dark=dark)),
    }  # fmt: skip
    told = {each.label.text: (each.x, each.y) for each in made.names}
    assert told["ResNet-50"] == (4e9, 76.0)
    assert list(told) == ["ResNet-50", "small"]  # big is the same network as old
    said = [(key.name, key.look) for key in made.legend]
    assert said.index(("Skip connections", theme.family_colour("residual", dark=dark))) < said.index(grey)


def test_the_frontier_is_a_line_of_steps() -> None:
    assert scatter(shown(), AXES, (), "", dark=False).frontier == ((1e8, 70.0), (4e9, 70.0), (4e9, 80.0))


def test_the_axes_hold_all_dots() -> None:
    made = scatter(shown(), AXES, (), "", dark=False)
    (low, high), (bottom, top) = made.x.range, made.y.range
    assert low < 8 < np.log10(5e9) < high
    assert bottom < 70 < 80 < top


def test_by_year_the_unknown_year_stands_apart() -> None:
    made = scatter(shown(), replace(AXES, colour=BY_YEAR), (), "", dark=False)
    assert {dot.id: dot.group for dot in made.dots} == {
        "small": "", "big": "", "old": "", "odd": "Year not known",
    }  # fmt: skip
    colours = {dot.id: dot.colour for dot in made.dots}
    assert (colours["big"], colours["small"]) == ("#440154", "#fde725")  # the ends of the map
    assert [key.name for key in made.legend] == ["Year, 2015 to 2017", "Year not known", "Pareto frontier"]


def test_the_area_of_a_bubble_is_the_value_and_missing_is_no_zero() -> None:
    axes = replace(AXES, bubble="params")
    drawn = points(scatter(shown(bubble="params"), axes, (), "", dark=False))
    grown = {each: found.diameter - 7.0 for each, found in drawn.items()}
    assert (grown["big"] / grown["small"]) ** 2 == pytest.approx(25 / 4, rel=0.01)
    assert "Parameters: not known" in drawn["odd"].hover


def test_the_arrow_goes_from_the_worst_recipe_to_the_best() -> None:
    made = scatter(shown(), AXES, (), "timm:big", dark=False)
    assert made.arrow is not None
    assert (made.arrow.start, made.arrow.end) == ((4e9, 76.0), (4e9, 80.0))
    assert made.arrow.lines[0] == "+4 points"
    assert {dot.id for dot in made.dots if dot.diamond} == {"big", "old"}
    assert {name: len(alike) for name, alike in recipes(ALL).items()} == {"timm:big": 2}


def test_the_selected_have_a_ring() -> None:
    made = scatter(shown(), AXES, ("odd", "unknown"), "", dark=False)
    assert [(dot.x, dot.y) for dot in made.dots if dot.ringed] == [(5e9, 79.0)]


def test_hostile_names_are_text() -> None:
    nasty = replace(BIG, name="<img src=x onerror=alert(1)>", protocol="<b>")
    hover = points(scatter(shown((nasty, SMALL)), AXES, (), "", dark=False))["big"].hover
    assert "<img" not in hover
    assert "&lt;img" in hover


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("top1", 80.858, "80.86 %"),
        ("macs", 4.089e9, "4.09\u00a0G"),
        ("weight_bytes", 102_228_128, "97.5\u00a0MiB"),
        ("throughput 3090", 4321.0, "4320 images/s"),
    ],
)
def test_values_have_their_units(name: str, value: float, written: str) -> None:
    assert text(name, value) == written


def test_a_printed_table_is_drawn_beside_what_is_counted() -> None:
    table = printed_tables()["evolution"]
    ours = [BIG if row.name == "ResNet-50" else None for row in table.rows]
    figure = printed(table, ours, dark=False)
    printed_points, own = figure.data[-2:]
    assert len(printed_points.x) == 8  # the last row prints no MACs
    assert (list(own.x), list(own.y), list(own.text)) == ([4e9], [80.0], ["ResNet-50"])


def test_measurements_of_this_machine_are_joined_by_network_and_size() -> None:
    plain = Measurement(
        network="timm:big", image_size=224, device="cpu", machine="m", batch_size=1, precision="float32",
        channels_last=False, compiled=False, threads=2, latency_ms=50.0, latency_iqr_ms=1.0, throughput=20.0,
        peak_memory_bytes=None, memory_note="", repetitions=9, measured_on="2026-01-01T00:00:00", versions="",
    )  # fmt: skip
    many = replace(plain, batch_size=8, latency_ms=200.0, throughput=40.0, peak_memory_bytes=10)
    half = replace(plain, precision="bfloat16", latency_ms=1.0, throughput=1000.0)
    other = replace(plain, image_size=288, latency_ms=99.0)
    found = {
        each.id: each.values
        for each in with_measured(Data(ALL, (), None, 0), [half, many, plain, other]).candidates
    }
    assert {name: value for name, value in found["big"].items() if "here" in name} == {
        "latency here": 50.0,
        "throughput here": 40.0,
    }
    assert not any("here" in name for name in found["small"])


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"machine": "another"}, {"threads": 64}])
def test_a_latency_of_one_device_is_not_set_beside_a_throughput_of_another(change: dict[str, object]) -> None:
    before = Measurement(
        network="timm:big", image_size=224, device="cpu", machine="m", batch_size=1, precision="float32",
        channels_last=False, compiled=False, threads=2, latency_ms=50.0, latency_iqr_ms=1.0, throughput=20.0,
        peak_memory_bytes=7, memory_note="", repetitions=9, measured_on="2026-01-01T00:00:00", versions="",
    )  # fmt: skip
    later = replace(before, batch_size=8, throughput=900.0, measured_on="2026-01-02T00:00:00", **change)
    for order in ([before, later], [later, before]):
        data = with_measured(Data(ALL, (), None, 0), order)
        (found,) = [each.values for each in data.candidates if each.id == "big"]
        assert {name: value for name, value in found.items() if "here" in name} == {"throughput here": 900.0}
        assert data.measured_on == later.where


TWO = replace(
    SMALL, id="two", name="two", values={**SMALL.values, "deployed macs": 3e7, "deployed params": 2e6}
)


@pytest.mark.parametrize(
    ("x", "y", "bubble", "drawn"),
    [
        ("macs", "top1", "", ("macs", "top1", "")),
        ("macs", "throughput 5090", "params", ("deployed macs", "throughput 5090", "deployed params")),
        ("throughput 5090", "weight_bytes", "", ("throughput 5090", "deployed weight_bytes", "")),
        ("macs", "throughput 3090", "", ("macs", "throughput 3090", "")),
        ("macs", "throughput 3090", "throughput 5090", ("macs", "throughput 3090", "throughput 5090")),
        ("macs", "latency here", "", ("macs", "latency here", "")),
    ],
)
def test_a_count_beside_a_speed_is_of_the_form_that_was_timed(
    x: str, y: str, bubble: str, drawn: tuple
) -> None:
    axes = Axes(x, y, x_log=True, y_log=False, bubble=bubble).of_the_form_timed()
    assert (axes.x, axes.y, axes.bubble) == drawn


def test_the_hover_tells_both_forms() -> None:
    drawn = points(scatter(shown((TWO, BIG)), AXES, (), "", dark=False))
    assert "MACs: 100\u00a0M as trained, 30.0\u00a0M as deployed" in drawn["two"].hover
    assert "deployed" not in drawn["big"].hover


def test_a_column_of_the_deployed_form_holds_every_network() -> None:
    data = Data((TWO, BIG), (), None, 0)
    assert data.column("deployed macs", range(2)).tolist() == [3e7, 4e9]
    assert np.isnan(data.column("deployed activations", range(2))).all()
