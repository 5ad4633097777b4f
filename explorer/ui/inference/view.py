"""What the Inference page shows: picture with heatmap, answer, feature maps.

All of it is drawn from a `ShownExplanation`; no model is called here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.inference import feature_maps
from explorer.ui.inference.answer import Lookers, ShownExplanation
from explorer.ui.kit import fields, once
from explorer.ui.kit.formatting import exact, plain, share, three_digits
from explorer.ui.picture import choices
from explorer.ui.picture.current import Picture, credit, refusal
from explorer.ui.picture.parts import component, data_url

if TYPE_CHECKING:
    import numpy as np

_MAPS = "_maps_shown"
_FEW_CLASSES = 20  # so many can be listed in a line or two
_ANSWERS_WITH = {"yes or no": "says yes or no", "embedding": "answers with an embedding"}
_ALREADY_LOADED = 1e-3  # seconds: no weights are read in this time

_picture, _answer, _maps = (component("inference", name) for name in ("picture", "answer", "maps"))


def picture(shown: Picture, answer: ShownExplanation | None, key: str = "picture_part") -> None:
    """The picture, with the heatmap once there is an answer."""
    width, height = shown.image.size
    data = {
        "modes": answer is not None,
        "whole": shown.url,
        "wholeRatio": width / height,
        "display": shown.url,
        "view": shown.url,
        "viewRatio": width / height,
        "box": [0, 0, 1, 1],
        "peak": None,
        "tiny": False,
        "heat": None,
        "opacity": st.session_state[choices.OPACITY] / 100,
        "lut": feature_maps.colours(st.session_state[choices.COLOURS]).tolist(),
        "says": "",
        "alt": shown.title,
        "credit": credit(shown),
        "notice": f"{refusal()} The picture before it stays." if refusal() else "",
    }
    if answer:
        explanation = answer.explanation
        rows, columns = explanation.view.shape[:2]
        label = explanation.explained.label if explanation.explained else ""
        evidence = f"evidence for {label}" if label else "at each place"
        data |= {
            "display": answer.display_url,
            "view": answer.view_url,
            "viewRatio": columns / rows,
            "box": list(explanation.view_box),
            "peak": explanation.heatmap_peak,
            "tiny": answer.tiny,
            "heat": answer.heat_url,
            "says": f"{explanation.method}: {evidence}" if explanation.heatmap_peak else explanation.blank,
            "alt": f"{shown.title}, with a heatmap: {explanation.method}, {evidence}",
        }
    _picture(key=key, data=data)


def asks(answer: ShownExplanation) -> None:
    """Under the picture: what the method asks, whose it is and what it costs; a way out of an empty map."""
    from explorer.inference import METHODS

    explanation = answer.explanation
    if explanation.blank and explanation.layer != answer.default_layer:
        st.button(
            f"Look at {answer.default_layer} instead",
            key="layer that is not blank",
            on_click=choices.choose_layer,
            args=(answer.default_layer, answer.default_layer),
        )
    if method := METHODS.get(explanation.method):
        st.caption(
            f"**{explanation.method}.** {method.question} Passes beside the answer’s own: {method.passes}. "
            f"[{method.paper}]({method.url})"
        )


def answer_bars(answer: ShownExplanation) -> None:
    """The likeliest classes; a click on one explains it."""
    if not answer.explanation.predictions:
        return
    likeliest = answer.explanation.predictions[0].index
    _answer(
        key="answer_part",
        data={
            "target": answer.explanation.target,
            "rows": [
                {
                    "label": each.label,
                    "index": each.index,
                    "percent": share(each.probability, 1),
                    "share": each.probability,
                }
                for each in answer.explanation.predictions
            ],
        },
        on_target_change=lambda: choices.choose_target(st.session_state.answer_part.target, likeliest),
    )


def maps(answer: ShownExplanation) -> None:
    """Feature maps of the explained layer, strongest first, with a pager."""
    from explorer.inference import MEASURES

    explanation = answer.explanation
    of, page, measure = st.session_state.get(_MAPS, (None, 0, "activation"))
    measures = dict(MEASURES)
    if explanation.contributions is None:
        del measures["contribution"]
        measure = "activation"
    page, colours = page if of is explanation else 0, st.session_state[choices.COLOURS]

    def drawn() -> tuple[feature_maps.Grid, np.ndarray, str]:
        grid = feature_maps.grid(explanation, page, measure)
        table = feature_maps.colours(None if grid.signed else colours)
        return grid, table, data_url(grid.atlas(table), lossless=True)

    grid, table, atlas = once.once("maps", (answer, page, measure, colours), drawn, most=2)
    first = grid.page * feature_maps.PER_PAGE
    _, rows, columns = explanation.features.shape

    def turned() -> None:
        st.session_state[_MAPS] = (explanation, st.session_state.maps_part.page, measure)

    def sorted_by() -> None:
        st.session_state[_MAPS] = (explanation, 0, st.session_state.maps_part.measure)

    _maps(
        key="maps_part",
        data={
            "title": f"{grid.total} feature maps of {rows} × {columns}",
            "layer": explanation.layer,
            "atlas": atlas,
            "size": [grid.tiles.shape[2], grid.tiles.shape[1]],
            "channels": grid.channels,
            "strengths": [three_digits(each) for each in grid.strengths],
            "measure": measure,
            "measures": measures,
            "lut": table.tolist(),
            "low": three_digits(grid.low),
            "high": three_digits(grid.high),
            "count": f"{first + 1}–{first + len(grid.channels)}",
            "page": grid.page,
            "pages": grid.pages,
        },
        on_page_change=turned,
        on_measure_change=sorted_by,
    )


def headline(answer: ShownExplanation, name: str) -> str:
    """Who answers, and what must be known to read it; Markdown. name: of the network."""
    from explorer.inference import KINDS

    rows, columns = answer.explanation.view.shape[:2]
    seen = f"sees {columns} × {rows} pixels" + (" (press Network’s view)" if answer.tiny else "")
    if answer.entry.untrained:
        return f":orange-badge[untrained] **{plain(name)}** with random numbers: its answer means nothing"
    known = f"knows {exact(len(answer.labels))} classes" if answer.labels else "has outputs without names"
    kind = KINDS[answer.explanation.answers_with]
    known = _ANSWERS_WITH.get(answer.explanation.answers_with, known)
    notes = " ".join(plain(note) for note in (kind, *answer.entry.remarks, answer.note) if note)
    return f"**{plain(name)}** {known} and {seen}" + (f". {notes}" if notes else "")


def not_taken(answer: ShownExplanation, who: Lookers) -> str:
    """What the link asks for and this network does not have, as a sentence; "" if it has all of it."""
    used = {
        "weights": (fields.get(choices.WEIGHTS), who.asked.id if who.asked else ""),
        "layers": (fields.get(choices.LAYER), answer.explanation.layer),
        "classes": (fields.get(choices.TARGET), str(answer.explanation.target)),
    }
    foreign = [
        f"{plain(asked[:60])} is not among its {what}"
        for what, (asked, got) in used.items()
        if asked and asked != got
    ]
    said = f"{'; '.join(foreign)}: the usual choice is shown instead." if foreign else ""
    return " ".join(filter(None, (said, answer.instead)))


def what_it_can_know(answer: ShownExplanation, shown: Picture) -> None:
    """The classes of a network that has few; whether a sample's thing is among them, and samples whose is."""
    from explorer.inference import OFFERED

    known = set(answer.labels) if answer.explanation.answers_with == "classes" else set()
    few = 0 < len(known) <= _FEW_CLASSES
    lost = bool(known) and shown.sample is not None and not known.intersection(shown.sample.shows)
    if few:
        st.caption(f"All it knows: {plain(', '.join(answer.labels))}.")
    if not lost and not (few and shown.sample is None):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="cannot_know"):
        if lost:
            says = f"None of its classes is right for “{plain(shown.title)}”, so no answer can be."
            st.markdown(f":material/help: {says}", width="content")
        for sample in OFFERED if few else ():
            if known.intersection(sample.shows):
                st.button(
                    f"Show it {sample.title}",
                    key=f"known sample {sample.name}",
                    on_click=choices.choose_sample,
                    args=(sample.name,),
                )


def timings(answer: ShownExplanation) -> str:
    """How long each step took, and on what; Markdown."""
    steps = {name: f"{three_digits(1000 * value)} ms" for name, value in answer.explanation.seconds.items()}
    if answer.explanation.seconds["load"] < _ALREADY_LOADED:
        steps["load"] = "0 ms (in memory)"
    device = answer.explanation.device.upper()
    shown = " · ".join(f"{name} {steps[name]}" for name in ("decode", "load", "forward", "backward"))
    return f"Measured here on {plain(device)}: {shown}  \nWeights: {plain(answer.entry.shown)}"


def what_to_look_for(answer: ShownExplanation) -> str:
    """Two sentences that turn the picture into a question; Markdown."""
    click = {
        "classes": "Click another class to see the evidence for that one, and move",
        "yes or no": "Click the other answer to see what speaks for it, and move",
        "embedding": "Move",
    }[answer.explanation.answers_with]
    return (
        "**What to look for.** Does the heatmap sit on the thing itself, or on what often stands beside it? "
        f"{click} the layer from the first one to {plain(answer.default_layer)}: the maps turn from edges "
        "into things while they lose their sharpness."
    )
