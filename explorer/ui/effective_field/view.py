"""The effective fields of up to four networks side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.effective_field import measuring
from explorer.ui.effective_field.measuring import Plan, Wanted, named, width
from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, fields, formatting, lab, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.lab import Controls
from explorer.ui.picture import weights

if TYPE_CHECKING:
    from explorer.labs.receptive_field.effective import EffectiveField
    from explorer.networks import Reference
    from explorer.ui.effective_field.figures import Panel

NETWORKS = "rfnets"
KINDS = ("Noise", "Photos")
COUNTS = (5, 10, 20, 50, 100)
MOST = 4
_INPUTS = "Noise: independent normal numbers, as in the paper. Photos: random squares of the samples."
_BOX = "rf_networks_box"
_HEIGHT, _TALL = 400, 600  # pixels; the taller for a projector


@dataclass(frozen=True)
class Choices:
    inputs: str = lab.words("rfinputs", "Inputs", KINDS, help=_INPUTS)
    passes: int = lab.steps("rfpasses", "Inputs averaged", COUNTS, 20)


def show(
    reference: Reference | None,
    controls: Controls[Choices],
    bar_slot: DeltaGenerator,
    button_slot: DeltaGenerator,
    here: Page,
) -> None:
    """Trained and random weights; progress and the way to stop go into the two slots."""
    first, second, third = st.columns([7, 2.4, 2.6], vertical_alignment="bottom")
    measured(_networks(first, reference), controls, second, third, bar_slot, button_slot, here)


def measured(
    chosen: Sequence[str],
    controls: Controls[Choices],
    second: DeltaGenerator,
    third: DeltaGenerator,
    bar_slot: DeltaGenerator,
    button_slot: DeltaGenerator,
    here: Page,
) -> None:
    """The fields of these weights; two controls, progress and the way to stop go into the four slots."""
    inputs, passes = controls.draw("inputs", second), controls.draw("passes", third)
    height = _TALL if here.presenting else _HEIGHT
    place = theme.growing("rf_effective_place", height + 20)
    plans = _plans(chosen, inputs)
    if not plans:
        place.info("Choose a network above, or type a name.", icon=":material/info:")
        return
    with place:
        drawing = st.empty()

    def draw(found: Mapping[Wanted, EffectiveField]) -> None:
        from explorer.ui.effective_field.figures import strengths

        if not found:
            drawing.skeleton(height=height)
            return
        panels = [_panel(wanted, plans[wanted], measured) for wanted, measured in found.items()]
        state = "_".join(str(measured.passes) for measured in found.values())  # one key a run and drawing
        with drawing.container():
            made = strengths(panels)
            show_figure(made, here, f"rf_strengths_{state}", height)

    found = measuring.complete(list(plans), passes, bar_slot, button_slot, draw)
    if found:
        draw(found)
    else:
        drawing.empty()
    explain.look_for(
        "The solid square has the area of the pixels that matter, the dashed one is the field by theory: how "
        "small is the share? Compare trained with random weights, and noise with photos: random weights "
        "give a smooth bell, training moves it, and the paper's widening is not the only outcome."
    )
    st.caption(
        "Of the middle unit of the last convolution or block: a pooling behind it, as VGG's, widens the "
        "network's field but not this one. Untrained networks whose blocks begin scaled to nearly nothing "
        "(ConvNeXt's layer scale, 1e-6) show the field of stem and downsampling alone."
    )
    _numbers(found, plans)


def _plans(chosen: Sequence[str], inputs: str) -> dict[Wanted, Plan]:
    """What to measure of each network; a sentence for those that cannot be."""
    plans: dict[Wanted, Plan] = {}
    for identifier in chosen:
        try:
            plan = measuring.plan_of(identifier)
        except (ValueError, RuntimeError) as refused:
            why = f"{formatting.plain(identifier)}: {formatting.plain(str(refused))}"
            st.error(why, icon=":material/error:")
            continue
        plans[Wanted(identifier, plan.side, inputs, plan.layer, plan.unit)] = plan
    return plans


def _networks(slot: DeltaGenerator, reference: Reference | None) -> list[str]:
    """Ids of up to four sets of weights: the link's that mean something, else the first pair."""
    entries = weights.trained_here(reference)
    trained = [entry.id for entry in entries]
    twins = [f"random:{entry.reference}" for entry in entries]
    own = [f"random:{reference}"] if reference else []
    asked = {each: _known(each) for each in fields.get(NETWORKS).split(",") if each.strip()}
    if unknown := [each for each, known in asked.items() if not known]:
        state.not_understood(NETWORKS, ",".join(unknown))
    valid = list(dict.fromkeys(filter(None, asked.values())))[:MOST]
    st.session_state[_BOX] = valid or [*trained[:1], *twins[:1]] or own
    slot.multiselect(
        "Networks",
        list(dict.fromkeys([*trained, *own, *twins, *valid])),
        key=_BOX,
        format_func=_label,
        max_selections=MOST,
        accept_new_options=True,
        on_change=lambda: st.session_state.update({NETWORKS: ",".join(st.session_state[_BOX])}),
        help="Up to four. Type any network's name to see it with random weights.",
    )
    return list(st.session_state[_BOX])


def _label(identifier: str) -> str:
    return named(identifier) if _known(identifier) == identifier else identifier


def _known(text: str) -> str:
    """The weights that a text means: an id, or a network's name for its untrained twin; "" for nonsense."""
    from explorer import networks

    for identifier in (text.strip(), f"random:{text.strip()}"):
        try:
            return networks.entry_of(identifier).id
        except (ValueError, RuntimeError):
            continue
    return ""


def _panel(wanted: Wanted, plan: Plan, found: EffectiveField) -> Panel:
    from explorer.ui.effective_field.figures import Panel

    side, theory = width(found), max(plan.field.size)
    spans = (plan.field.interval(axis, found.unit[axis]) for axis in (0, 1))
    row, column = ((low + high + 1) / 2 for low, high in spans)
    more = "≥ " if side > 0.9 * wanted.side else ""
    name, _, kind = named(wanted.weights_id).partition(" · ")
    title = (
        f"<b>{escape(name)}</b><br>{kind}: {more}{formatting.three_digits(side)} of {theory:g} px, "
        f"{more}{formatting.share(side, theory)}"
    )
    return Panel(title, found.strength, side, theory, (row, column))


def _numbers(found: Mapping[Wanted, EffectiveField], plans: Mapping[Wanted, Plan]) -> None:
    from explorer.labs.receptive_field.effective import energy_side

    with st.expander("The numbers", icon=":material/table:"):
        rows = [
            {
                "network": named(wanted.weights_id),
                "layer": measured.layer,
                "input (px)": wanted.side,
                "inputs": measured.passes,
                "effective width (px)": round(width(measured), 1),
                "square of 95.45 % of the energy (px)": energy_side(measured.energy),
                "theory (px)": max(plans[wanted].field.size),
                "share of its side (%)": round(100 * width(measured) / max(plans[wanted].field.size), 1),
                "besides": plans[wanted].field.beyond,
            }
            for wanted, measured in found.items()
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        st.caption(
            "Measured here, at the unit of the last map in the middle of the input. The input is the "
            "network's own, or larger where its field by theory is, up to 320 px, so that the map's border "
            "cuts nothing off; ≥ where it does. Each input's gradient is of all channels with random signs, "
            "squared and summed over colours."
        )
