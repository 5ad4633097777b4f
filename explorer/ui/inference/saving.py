"""What a visitor takes along: pictures, arrays and a report, each written when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.inference import number
from explorer.ui.inference.answer import Question, ShownExplanation
from explorer.ui.kit import once
from explorer.ui.picture import choices

if TYPE_CHECKING:
    from explorer.inference import Sample
    from explorer.inference.report import Report

# What the button says, what it writes, end of the file's name, its kind.
_OFFERED: tuple[tuple[str, str, str, str], ...] = (
    ("Report, one HTML file", "html", "report.html", "text/html"),
    ("Overlay, PNG", "overlay", "overlay.png", "image/png"),
    ("Feature maps, PNG", "maps", "maps.png", "image/png"),
    ("Heatmap, NumPy array", "heatmap", "heatmap.npy", "application/octet-stream"),
    ("All feature maps, NumPy array", "features", "features.npy", "application/octet-stream"),
)


def menu(asked: Question, answer: ShownExplanation) -> None:
    """The report has the scores too, where the map has been put to the test, and the number on the board."""
    name = "-".join((asked.picture.title, answer.entry.reference.name, answer.explanation.layer))
    name = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80]
    with st.popover("Save", icon=":material/download:", key="saving"):
        for label, what, ending, kind in _OFFERED:
            st.download_button(
                label,
                partial(_written, _report(asked, answer), what),
                f"{name}-{ending}",
                kind,
                key=f"save_{what}",
                on_click="ignore",
                width="stretch",
            )


def _report(asked: Question, answer: ShownExplanation) -> Callable[[], Report]:
    opacity, colours = st.session_state[choices.OPACITY] / 100, st.session_state[choices.COLOURS]
    proofs = once.kept("proof")
    opened = number.on_the_board(asked, answer)

    def made() -> Report:
        from explorer.inference.report import Report

        picture = asked.picture
        return Report(
            answer.explanation,
            answer.entry,
            picture.title,
            opens=f'SAMPLES["{picture.sample.name}"].load()' if picture.sample else "",
            credit=_credit(picture.sample) if picture.sample else "",
            proof=proofs.get((answer.entry.id, *asked.key(answer.entry))),
            opened=opened(),
            remarks=picture.remarks,
            opacity=opacity,
            colormap=colours,
        )

    return made


def _credit(sample: Sample) -> str:
    return f"{sample.credit} · {sample.licence} · {sample.source}"


def _written(make: Callable[[], Report], what: str) -> bytes:
    written: bytes = getattr(make(), what)()
    return written
