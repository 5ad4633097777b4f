"""A Plotly figure in the app's colours, as wide as its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import streamlit as st

from explorer.ui.kit import theme

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Window:
    """The visitor's window. rem: pixels of one; phone: too narrow for panels side by side.

    known: the browser has told it; until then a presentation draws no chart, which would come out too small.
    """

    rem: float
    phone: bool
    known: bool


class Screen(Protocol):
    """What a figure must know of where it is seen."""

    @property
    def dark(self) -> bool: ...

    @property
    def window(self) -> Window: ...


_ONLY_HOVER = {"displayModeBar": False, "scrollZoom": False}


def show_figure(made: Figure, here: Screen, key: str, height: int | None = None, **options: Any) -> None:
    """A Plotly figure in the app's colours, as wide as its place.

    On a phone its panels stand one below the other.
    height: pixels in a window 720 high; in a higher one, as on a projector, it grows with the window.
    options: of `st.plotly_chart`; without a `config` the figure answers to hovering alone.
    """
    from explorer.ui.kit.small_multiples import stacked

    if not here.window.known:
        st.skeleton(height=height)
        return
    if here.window.phone and height:
        made, height = stacked(made, height)
    made = theme.style(made, dark=here.dark, rem=here.window.rem)
    options = {"config": _ONLY_HOVER} | options
    if not height:
        st.plotly_chart(made, key=key, theme=None, width="stretch", **options)
        return
    made.update_layout(height=height)
    with theme.growing(f"{key}_place", height):
        st.plotly_chart(made, key=key, theme=None, width="stretch", height="stretch", **options)
