"""Look: one colour a family, one colour a role of operation, everywhere the same, for light and dark pages.

The colours were searched so that any two of a set, the neutral grey included, stay apart under normal vision,
deuteranopia and protanopia, and stand off the page by 3:1 at least. `tests/ui/kit/test_theme.py` keeps it so.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Layout

REM = 16.0  # pixels of one rem outside a presentation
_TYPE = 14.0  # pixels of the words of a chart, of which none is smaller in a presentation
_ROOMS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Colour:
    """One meaning, as CSS hex on a light and on a dark page."""

    light: str
    dark: str

    def on(self, *, dark: bool) -> str:
        return self.dark if dark else self.light


NEUTRAL = Colour("#7A8087", "#98A1AA")
ACCENT = Colour("#1F6F8B", "#62B6D1")
BACKGROUND = Colour("#FCFCFB", "#14181C")
SURFACE = Colour("#F1F2F1", "#1E242A")
TEXT = Colour("#1C2127", "#E8EAEC")
LINE = Colour("#DADDDC", "#363E46")

# By id of explorer.catalogue.FAMILIES, in its order.
FAMILIES: dict[str, Colour] = {
    "handcrafted": NEUTRAL,
    "plain": Colour("#0077DC", "#6190B5"),
    "inception": Colour("#BF8452", "#D88A12"),
    "residual": Colour("#AE2F2D", "#EC7065"),
    "compact": Colour("#138D6D", "#5EC9A5"),
    "attention": Colour("#7242A2", "#BD8BEA"),
    "scaled": Colour("#8B7D0D", "#DDC746"),
    "transformer": Colour("#DC68AD", "#F6AAD4"),
    "convnext": Colour("#264270", "#C4D8FD"),
}

# By kind of operation in a trace. What only moves or renames values is grey.
ROLES: dict[str, Colour] = {
    "spatial": Colour("#3968CD", "#5B8BB0"),
    "pointwise": Colour("#4798CC", "#9BD3F7"),
    "depthwise": Colour("#147A70", "#67C1A2"),
    "grouped": Colour("#3D6881", "#777FFA"),
    "linear": Colour("#6B4097", "#B38AD7"),
    "norm": Colour("#9D915C", "#F5DD5C"),
    "activation": Colour("#4E8353", "#AFD988"),
    "pool": Colour("#CA7729", "#F0A74A"),
    "merge": Colour("#B43532", "#EB7A6E"),
    "attention": Colour("#DC5DAA", "#F7A1D1"),
    "reshape": NEUTRAL,
    "other": NEUTRAL,
    "input": NEUTRAL,
    "output": NEUTRAL,
}

# By verdict on a claim, in text: 4.5:1 off the page and off a table's rows. Beside each stands its sign.
VERDICTS: dict[str, Colour] = {
    "holds": Colour("#157A4A", "#5EC98F"),
    "rounded": Colour("#1F6F8B", "#62B6D1"),
    "depends on the protocol": Colour("#8A5A00", "#E0A93B"),
    "wrong": Colour("#AE2F2D", "#F0847A"),
    "error": Colour("#7242A2", "#BD8BEA"),
    "waiting": Colour("#676D74", "#98A1AA"),
}

ROLE_NAMES: dict[str, str] = {
    "spatial": "Spatial convolution",
    "pointwise": "Pointwise convolution (1×1)",
    "depthwise": "Depthwise convolution",
    "grouped": "Grouped convolution",
    "linear": "Linear",
    "norm": "Normalisation",
    "activation": "Activation",
    "pool": "Pooling",
    "merge": "Add, concatenate, multiply",
    "attention": "Attention",
    "reshape": "Reshape",
    "other": "Other",
    "input": "Input",
    "output": "Output",
}


def family_colour(family: str, *, dark: bool) -> str:
    """Colour of a family; grey for a network that stands in no family."""
    return FAMILIES.get(family, NEUTRAL).on(dark=dark)


def role_colour(kind: str, *, dark: bool) -> str:
    """Colour of a kind of operation; grey for a kind that is not listed."""
    return ROLES.get(kind, NEUTRAL).on(dark=dark)


def ink_on(colour: str) -> str:
    """Black or white, whichever stands off `colour` ("#RRGGBB") more, by the contrast ratio of WCAG 2."""
    light = luminance(colour)
    return "#FFFFFF" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else "#000000"


def luminance(colour: str) -> float:
    """Relative luminance of "#RRGGBB", 0 to 1. https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    channels = (value / 255 for value in bytes.fromhex(colour.lstrip("#")))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cache  # every script run puts several on the page
def asset(name: str) -> str:
    """Text of a style sheet, script or page that lies in a room of `explorer/ui`: "timeline/browser.js"."""
    return (_ROOMS / name).read_text("utf-8")


def apply(sheet: str, media: str = "all") -> None:
    """Put the style sheet of a room on the page; media: the windows it is for, as in CSS."""
    st.html(f"<style>@media {media} {{ {asset(sheet)} }}</style>")


@cache
def plotly_layout(*, dark: bool) -> Layout:
    """The one layout of all charts, for `figure.update_layout(template={"layout": plotly_layout(...)})`.

    Plotly is imported here, at the first chart, because the landing page draws none.
    """
    from explorer.ui.kit.graph_objects import go

    size, family = _TYPE, '"Source Sans", sans-serif'
    text, line, surface = TEXT.on(dark=dark), LINE.on(dark=dark), SURFACE.on(dark=dark)
    axis = {
        "gridcolor": line,
        "linecolor": line,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": line,
        "title": {"standoff": 8},
        "automargin": True,
    }
    return go.Layout(
        font={"family": family, "size": size, "color": text},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=[colour.on(dark=dark) for name, colour in FAMILIES.items() if name != "handcrafted"],
        colorscale={"sequential": "Viridis", "diverging": "RdBu"},
        xaxis=axis,
        yaxis=axis,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        hoverlabel={
            "bgcolor": surface,
            "bordercolor": line,
            "font": {"family": family, "color": text, "size": size},
        },
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        separators=". ",
    )


def style(figure: Figure, *, dark: bool, rem: float = REM) -> Figure:
    """`figure` with the app's template; hand it to `st.plotly_chart(..., theme=None)`.

    rem: pixels of one rem where it is shown. Above the usual ones a copy is returned, in which all that is
    counted in pixels has grown, and no word is smaller than the page's smallest.
    """
    figure.update_layout(template={"layout": plotly_layout(dark=dark)})
    if rem == REM:
        return figure
    return type(figure)(_enlarged(figure.to_dict(), rem / REM), skip_invalid=True)


_EXPONENT = 0.7  # of the size of the number that it stands at, as Plotly draws it

# What Plotly counts in pixels: a key, and how the key above it ends ("" for any).
_PIXELS = (
    ("size", "font"), ("size", "marker"), ("width", "line"), ("minsize", "uniformtext"), ("height", "layout"),
    ("thickness", "colorbar"), ("standoff", "title"), ("xshift", ""), ("yshift", ""), ("ax", ""), ("ay", ""),
    ("t", "margin"), ("r", "margin"), ("b", "margin"), ("l", "margin"),
)  # fmt: skip


def _enlarged(part: Any, scale: float, name: str = "") -> Any:
    """`part` of a figure as plain data, its lengths in pixels times `scale`; name: its key."""
    if isinstance(part, list | tuple):
        return [_enlarged(each, scale, name) if isinstance(each, Mapping) else each for each in part]
    if not isinstance(part, Mapping):
        return part
    if part.get("exponentformat") == "power":  # the exponent is the smallest word there
        part = {**part, "tickfont": {"size": _TYPE / _EXPONENT}}
    return {
        key: _longer(value, scale, at_least=_TYPE if "font" in name or key == "minsize" else -inf)
        if any(key == pixels and name.endswith(place) for pixels, place in _PIXELS)
        else _enlarged(value, scale, key)
        for key, value in part.items()
    }


def _longer(length: Any, scale: float, at_least: float) -> Any:
    """A length of Plotly's, or an array of them, which it packs where NumPy made it."""
    if isinstance(length, Mapping):
        import numpy as np  # a chart that has such lengths has imported it

        length = np.frombuffer(b64decode(length["bdata"]), length["dtype"]).tolist()
    if isinstance(length, int | float):
        return max(length, at_least) * scale
    return [_longer(each, scale, at_least) for each in length] if isinstance(length, list | tuple) else length


def growing(key: str, height: int):
    """A container for one figure: `height` pixels in a window 720 high, more in proportion in a higher one.

    The figure in it asks for `height="stretch"`.
    """
    place = f'[data-testid="stLayoutWrapper"]:has(> .st-key-{key})'
    st.html(f"<style>{place} {{ height: max({height}px, {height / 7.2:.1f}vh); }}</style>")
    return st.container(key=key)
