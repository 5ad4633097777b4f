"""Colours mean something only if people can tell them apart."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from explorer import catalogue
from explorer.ui.kit import theme

# Machado, Oliveira and Fernandes 2009, severity 1.0, applied to linear RGB.
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
SETS = {"families": theme.FAMILIES, "roles": theme.ROLES}
# CIEDE2000; about 2 is the least one sees side by side, 8 is told apart at a glance across a chart.
LEAST_DIFFERENCE = {"normal": 10.0, "deuteranopia": 8.0, "protanopia": 7.0}


def linear(colour: str) -> np.ndarray:
    encoded = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def seen(colour: str, vision: str) -> np.ndarray:
    """The colour in CIELAB as it appears to someone."""
    rgb = np.clip(VISION[vision] @ linear(colour), 0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return rgb2lab(encoded)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted([float(weights @ linear(one)), float(weights @ linear(other))])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", SETS)
def test_any_two_meanings_are_told_apart(name: str, vision: str, dark: bool):
    colours = {colour.on(dark=dark) for colour in SETS[name].values()}
    differences = {
        (one, other): float(deltaE_ciede2000(seen(one, vision), seen(other, vision)))
        for one, other in itertools.combinations(sorted(colours), 2)
    }
    closest = min(differences, key=lambda pair: differences[pair])
    assert differences[closest] >= LEAST_DIFFERENCE[vision], closest


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", SETS)
def test_marks_stand_off_the_page(name: str, dark: bool):
    page = theme.BACKGROUND.on(dark=dark)
    assert min(contrast(colour.on(dark=dark), page) for colour in SETS[name].values()) >= 3.0


def test_the_simulation_itself():
    """Pure red and a dark green of equal appearance to a deuteranope, far apart to everyone else."""
    red, green = "#D62728", "#8F7A00"
    assert deltaE_ciede2000(seen(red, "normal"), seen(green, "normal")) > 35
    assert deltaE_ciede2000(seen(red, "deuteranopia"), seen(green, "deuteranopia")) < 15


def test_every_family_has_its_own_colour():
    assert list(theme.FAMILIES) == list(catalogue.FAMILIES)
    for dark in (False, True):
        shades = [theme.family_colour(family, dark=dark) for family in catalogue.FAMILIES]
        assert len(set(shades)) == len(shades)


def test_every_role_has_a_name_and_only_what_moves_values_is_grey():
    assert theme.ROLES.keys() == theme.ROLE_NAMES.keys()
    grey = {role for role, colour in theme.ROLES.items() if colour == theme.NEUTRAL}
    assert grey == {"reshape", "other", "input", "output"}
    assert theme.role_colour("a kind of tomorrow", dark=False) == theme.NEUTRAL.light


def test_streamlits_theme_says_the_same():
    path = Path(theme.__file__).parents[3] / ".streamlit" / "config.toml"
    settings = tomllib.loads(path.read_text("utf-8"))["theme"]
    for name, dark in (("light", False), ("dark", True)):
        section = settings[name]
        assert section["backgroundColor"] == theme.BACKGROUND.on(dark=dark)
        assert section["secondaryBackgroundColor"] == theme.SURFACE.on(dark=dark)
        assert section["textColor"] == theme.TEXT.on(dark=dark)
        assert section["borderColor"] == theme.LINE.on(dark=dark)
        assert section["primaryColor"] == section["linkColor"] == theme.ACCENT.on(dark=dark)
        families = [colour.on(dark=dark) for colour in theme.FAMILIES.values() if colour != theme.NEUTRAL]
        assert section["chartCategoricalColors"] == families
        assert contrast(section["textColor"], section["backgroundColor"]) >= 7
        assert contrast(section["primaryColor"], section["backgroundColor"]) >= 4.5


def test_a_chart_takes_the_template():
    figure = theme.style(go.Figure(go.Bar(x=["a"], y=[1])), dark=True)
    layout = figure.layout.template.layout
    assert layout.font.size == 14
    assert layout.colorway[0] == theme.FAMILIES["plain"].dark
    assert layout.xaxis.gridcolor == theme.LINE.dark


def test_a_chart_for_a_hall_has_grown_in_all_that_counts_pixels():
    """The figure given is left as it is: what is kept in a cache is drawn for other screens too."""
    made = go.Figure(go.Bar(x=[1, 2], y=[1, 2], marker={"line": {"width": 2}}, insidetextfont={"size": 16}))
    made.add_annotation(text="a", font={"size": 11}, yshift=-4)
    made.update_layout(height=200, margin={"t": 10}, xaxis={"title": {"font": {"size": 13}}, "range": [0, 9]})
    grown = theme.style(made, dark=False, rem=32)
    assert grown.layout.template.layout.font.size == 28
    assert grown.data[0].insidetextfont.size == 32
    assert grown.layout.annotations[0].font.size == grown.layout.xaxis.title.font.size == 28  # of 11 and 13
    assert (grown.layout.height, grown.layout.margin.t, grown.data[0].marker.line.width) == (400, 20, 4)
    assert (*grown.layout.xaxis.range, *grown.data[0].y) == (0, 9, 1, 2)
    assert grown.layout.annotations[0].yshift == -8
    assert made.layout.height == 200
    assert made.layout.annotations[0].font.size == 11


def test_sizes_that_numpy_made_grow_too():
    sizes = np.array([20.0, 30.0])
    made = go.Figure(go.Scatter(x=[1, 2], y=[1, 2], marker={"size": sizes, "line": {"width": sizes}}))
    grown = theme.style(made, dark=False, rem=32)
    assert tuple(grown.data[0].marker.size) == tuple(grown.data[0].marker.line.width) == (40, 60)
