"""Folded under the answer: the map put to the test against chance, and in words what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.inference.answer import Question, ShownExplanation
from explorer.ui.kit import once
from explorer.ui.kit.curves import DASHES, colours
from explorer.ui.kit.explain import folded
from explorer.ui.kit.figure import Screen, show_figure
from explorer.ui.kit.formatting import plain, share
from explorer.ui.kit.small_multiples import facets, row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from explorer.inference.proof import Proof

_HEIGHT = 280
_ALIKE = 0.5  # rank correlation from which two maps are called much alike


def view(asked: Question, answer: ShownExplanation, here: Screen) -> None:
    """Nothing for an embedding or a map that is empty, of which there is nothing to test."""
    explanation = answer.explanation
    if explanation.explained is None or explanation.blank:
        return

    def fill() -> None:
        from explorer.inference.proof import prove

        proof = once.ask(
            "proof",
            answer.entry.id,
            asked.key(answer.entry),
            lambda network: prove(network, asked.picture.image, explanation),
            "Asking the network about a hundred changed pictures: some seconds, longer for a large one …",
        )
        st.markdown(verdict(proof))
        show_figure(_curves(proof, dark=here.dark), here, "proof_curves", _HEIGHT)
        st.caption(_how_to_read(proof, explanation.method))

    folded("Can this map be believed? Test it", fill, key="proof", icon=":material/fact_check:")


def verdict(proof: Proof) -> str:
    """In words, with the numbers; Markdown."""
    from explorer.inference.proof import BLOB, RANDOM, THIS

    deletion = {name: proof.area(proof.deletion, name) for name in proof.deletion}
    insertion = {name: proof.area(proof.insertion, name) for name in proof.insertion}
    tests = (deletion[THIS] < deletion[RANDOM], insertion[THIS] > insertion[RANDOM])
    said = {
        2: "This map finds what matters better than chance",
        1: "This map passes one of two tests against chance",
        0: "This map does no better than chance",
    }[sum(tests)]
    blob = deletion[THIS] < deletion[BLOB] and insertion[THIS] > insertion[BLOB]
    middle = "it beats a blob in the middle too" if blob else "a blob in the middle is as good in one or both"
    found = (
        f"**{said}**: deletion {deletion[THIS]:.2f} against {deletion[RANDOM]:.2f}, "
        f"insertion {insertion[THIS]:.2f} against {insertion[RANDOM]:.2f}; {middle}."
    )
    if proof.moved and proof.moved[1] < _ALIKE:
        found += (
            f" It does not go along when the picture moves by {proof.moved[0]} pixels (rank correlation "
            f"{_signed(proof.moved[1])})."
        )
    if proof.randomised:
        alike = proof.randomised[-1][1]
        number = _signed(alike)
        found += (
            f" With random weights the map looks much the same (rank correlation {number}), so it shows "
            "the picture more than what the network has learnt."
            if alike > _ALIKE
            else f" With random weights it is another map (rank correlation {number}), as it should be."
        )
    return found


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _how_to_read(proof: Proof, method: str) -> str:
    read = (
        "Left, the places that the map names go first, replaced by the mean colour: the sooner the "
        "probability falls, the better the map. Right, they come first over a blurred picture: the sooner it "
        "rises, the better. The numbers are the areas under the curves; a random map is as coarse as this. "
        f"Dimmed by the map, the picture loses {share(proof.average_drop, 0)} of the probability. "
    )
    if proof.moved:
        pixels, alike = proof.moved
        read += f"Moved with the picture by {pixels} pixels, it agrees {_signed(alike)} with itself. "
    if proof.randomised:
        parts = ", ".join(f"{share(part, 0)} {_signed(alike)}" for part, alike in proof.randomised)
        return read + f"Layers made random, from the last on, and rank correlation with this map: {parts}."
    return read + f"The test with random weights is left out: {plain(method)} takes many passes."


def _curves(proof: Proof, *, dark: bool) -> Figure:
    panels = facets(1, 2, gap=0.1)
    named = zip(proof.deletion, colours(len(proof.deletion), dark=dark)[::-1], DASHES, strict=False)
    looks = {name: {"color": colour, "dash": dash, "width": 3} for name, colour, dash in named}
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": 100 * proof.share,
            "y": 100 * curve,
            "name": name,
            "line": looks[name],
            "showlegend": panel is panels[0],
            "hovertemplate": "%{x:.0f} % of the pixels: %{y:.1f} %<extra>" + name + "</extra>",
            **panel.axes,
        }
        for panel, curves in zip(panels, (proof.deletion, proof.insertion), strict=True)
        for name, curve in curves.items()
    ]
    frames = [
        (panel, {"title": f"pixels {what} (%)"}, {"rangemode": "tozero", "title": title})
        for panel, what, title in zip(panels, ("gone", "there"), ("probability (%)", ""), strict=True)
    ]
    return row(traces, frames, ("Deletion", "Insertion"))
