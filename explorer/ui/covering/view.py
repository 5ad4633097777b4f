"""The photo to paint on, and the answer that moves along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit import components, lab, once, theme
from explorer.ui.kit.formatting import plain, share
from explorer.ui.picture.parts import data_url, is_tiny

if TYPE_CHECKING:
    import numpy as np

    from explorer.inference import Explanation
    from explorer.labs.covering import Covered
    from explorer.ui.picture.current import Picture

MASK = "cover"
_LOOKING = "The network looks at the photo: about a second …"

_component = components.declare(
    "covering",
    html=theme.asset("covering/component.html"),
    css=theme.asset("picture/browser/style.css") + theme.asset("covering/component.css"),
    js=theme.asset("covering/browser.js"),
)


@dataclass(frozen=True)
class Choices:
    much: int = lab.slider("cmuch", "How much (% of the photo)", 2, 60, 12, 2, width=220)
    mask: str = lab.hidden(MASK)


def show(choices: Choices, picture: Picture, weights_id: str, buttons) -> None:
    from explorer import inference
    from explorer.labs import covering

    explanation = once.ask(
        "seen whole",
        weights_id,
        (picture.digest,),
        lambda network: inference.explain(network, picture.image),
        _LOOKING,
    )
    cells = _cells(choices.mask, explanation, choices.much)
    found = once.ask(
        "covered",
        weights_id,
        (picture.digest, covering.written(cells)),
        lambda network: covering.covered(network, picture.image, cells),
        _LOOKING,
    )
    with buttons:
        _proposals(explanation, choices.much)
    left, right = st.columns([5, 7], gap="large")
    with left:
        _photo(picture, explanation, cells)
    right.markdown(_headline(found))
    right.html(_bars(found))


def _cells(mask: str, explanation: Explanation, much: int) -> np.ndarray:
    """Those of the link; without any the ones that the map names, so that there is something to see."""
    from explorer.labs import covering

    if mask == _NOTHING:
        return covering.read("")
    try:
        return covering.read(mask) if mask else covering.strongest(explanation, much / 100)
    except ValueError:
        state.not_understood(MASK, mask)
        return covering.strongest(explanation, much / 100)


_NOTHING = "nothing"  # in the link: all was uncovered again


def _proposals(explanation: Explanation, much: int) -> None:
    from explorer.labs import covering

    def cover(cells: np.ndarray) -> None:
        st.session_state[MASK] = covering.written(cells) or _NOTHING

    offers = {
        "What Grad-CAM names": covering.strongest(explanation, much / 100),
        "As much, anywhere": covering.anywhere(much / 100),
        "All but what it names": ~covering.strongest(explanation, much / 100),
        "Nothing": covering.read(""),
    }
    for label, cells in offers.items():
        st.button(label, key=f"cover {label}", on_click=cover, args=(cells,))


def _photo(picture: Picture, explanation: Explanation, cells: np.ndarray) -> None:
    from PIL import Image

    from explorer.labs import covering

    tiny = is_tiny(explanation.view)
    shown = explanation.view if tiny else explanation.display
    rows, columns = explanation.view.shape[:2]
    _component(
        key="covering_photo",
        data={
            "url": data_url(Image.fromarray(shown), lossless=tiny),
            "alt": f"{picture.title}, as the network sees it",
            "ratio": columns / rows,
            "cells": covering.CELLS,
            "mask": covering.written(cells),
            "fill": "rgb(124 116 104)",
            "says": "Drag over the photo to cover it, over what is covered to uncover it.",
        },
        on_mask_change=lambda: st.session_state.update(
            {MASK: st.session_state.covering_photo.mask or _NOTHING}
        ),
    )


def code() -> tuple[Callable[..., Any], ...]:
    """The functions behind the numbers."""
    from explorer.labs import covering

    return covering.covered, covering.strongest


def _headline(found: Covered) -> str:
    """What becomes of the first answer; Markdown."""
    first, then = found.before[0], found.after[0]
    part = f"**{share(found.share, 1)}** of the photo is covered"
    was, becomes = share(first.probability, 1), share(then.probability, 1)
    falls = f"**{plain(first.label)}** goes from {was} to **{becomes}**"
    now = next(each for each in found.after if each.index == found.now)
    if now.index == first.index:
        return f"{part}: {falls} and stays the answer."
    return f"{part}: {falls}, and the answer is **{plain(now.label)}**, {share(now.probability, 1)}."


def _bars(found: Covered) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(before.label)}</th>'
        f'<td><i class="was" style="width: {100 * before.probability:.2f}%"></i>'
        f'<i class="is" style="width: {100 * after.probability:.2f}%"></i></td>'
        f"<td>{share(before.probability, 1)}</td><td><b>{share(after.probability, 1)}</b></td></tr>"
        for before, after in zip(found.before, found.after, strict=True)
    )
    accent = f"light-dark({theme.ACCENT.light}, {theme.ACCENT.dark})"
    return (
        f"<style>{theme.asset('covering/bars.css')}</style>"
        f'<table class="covered" style="--accent: {accent}"><thead>'
        "<tr><th>class</th><td></td><th>whole</th><th>covered</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
