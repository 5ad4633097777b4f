"""Effective fields on the page: measured input by input, to be stopped at any time, kept in the visit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui import architecture_view, formatting, lab
from explorer.ui import inference_choices as choices
from explorer.ui.page import Page

if TYPE_CHECKING:
    from explorer.analysis import ReceptiveField
    from explorer.labs.effective_field import EffectiveField
    from explorer.networks import Network, Reference
    from explorer.ui.receptive_field_figures import Panel

NETWORKS, INPUTS, PASSES = "rfnets", "rfinputs", "rfpasses"
KINDS = ("Noise", "Photos")
COUNTS = (5, 10, 20, 50, 100)
START: Mapping[str, Any] = {NETWORKS: "", INPUTS: "Noise", PASSES: 20}
MOST = 4
_KEPT, _FIELDS, _STOPPED, _BOX = 16, "_effective_fields", "_effective_stopped", "rf_networks_box"
_HEIGHT = 400


@dataclass(frozen=True)
class Wanted:
    """One measurement; the key under which it is kept. layer, unit: "" and None for the last map's middle."""

    weights_id: str
    side: int
    inputs: str
    layer: str = ""
    unit: tuple[int, int] | None = None


@dataclass(frozen=True)
class Plan:
    """Where one network is measured, and what its field is by theory."""

    side: int
    layer: str
    field: ReceptiveField


def weights_with(path: str, reference: Reference) -> str:
    """Trained weights of a network that lie on this machine, else its untrained twin.

    Another builder's weights of the same architecture name their layers otherwise, so they must have `path`.
    """
    from explorer import networks

    here = tuple(entry.id for entry in networks.weights_of(reference) if entry.on_this_machine)
    return _first_with(path, here) or f"random:{reference}"


@st.cache_data(max_entries=256, show_spinner=False)
def _first_with(path: str, identifiers: tuple[str, ...]) -> str:
    from explorer.serving import pool

    for identifier in identifiers:
        found = pool.shared().run(
            identifier, lambda net: path in {name for name, _ in net.model.named_modules()}
        )
        if found.value:
            return identifier
    return ""


def named(identifier: str) -> str:
    """ "resnet20 · trained", "resnet20 · random weights" """
    from explorer import networks

    entry = networks.entry_of(identifier)
    return f"{entry.reference.name.rpartition('/')[2]} · {'random weights' if entry.untrained else 'trained'}"


def width(found: EffectiveField) -> float:
    from explorer.labs.effective_field import effective_width

    return effective_width(found.energy)


def show(reference: Reference | None, here: Page) -> None:
    """Up to four networks side by side."""
    first, second, third = st.columns([7, 2.4, 2.6], vertical_alignment="bottom")
    chosen = _networks(first, reference)
    inputs = second.segmented_control(
        "Inputs", KINDS, default=START[INPUTS], required=True, key=INPUTS, bind="query-params",
        help="Noise: independent normal numbers, as in the paper. Photos: random squares of the samples.",
    )  # fmt: skip
    passes = third.select_slider("Inputs averaged", COUNTS, START[PASSES], key=PASSES, bind="query-params")
    progress, place = st.empty(), st.container(height=_HEIGHT + 20, border=False)
    plans: dict[Wanted, Plan] = {}
    for identifier in chosen:
        try:
            plan = _plan(identifier)
        except (ValueError, RuntimeError) as refused:
            st.error(
                f"{formatting.plain(identifier)}: {formatting.plain(str(refused))}", icon=":material/error:"
            )
            continue
        plans[Wanted(identifier, plan.side, inputs)] = plan
    if not plans:
        place.info("Choose a network above, or type a name.", icon=":material/info:")
        return
    found = complete(list(plans), passes, progress)
    if found:
        from explorer.ui import receptive_field_figures as figures

        panels = [_panel(wanted, plans[wanted], measured) for wanted, measured in found.items()]
        with place:
            lab.figure(figures.strengths(panels, dark=here.dark), here, "rf_strengths", _HEIGHT)
    lab.look_for(
        "The solid square has the area of the pixels that matter, the dashed one is the field by theory: how "
        "small is the share? Compare trained with random weights, and noise with photos: random weights "
        "give a smooth bell, training moves it, and the paper's widening is not the only outcome."
    )
    _numbers(found, plans)


def _networks(slot: DeltaGenerator, reference: Reference | None) -> list[str]:
    """Ids of up to four sets of weights: the link's that mean something, else the first pair."""
    trained = [entry.id for entry in lab.trained_here(reference)]
    twins = [f"random:{entry.reference}" for entry in lab.trained_here(reference)]
    own = [f"random:{reference}"] if reference else []
    asked = [_known(each) for each in choices.get(NETWORKS).split(",") if each.strip()]
    valid = list(dict.fromkeys(each for each in asked if each))[:MOST]
    st.session_state[_BOX] = valid or [trained[0], twins[0]]
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
    if len(valid) < len(asked):
        slot.caption("A name that no builder knows was left out.")
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


@st.cache_resource(max_entries=64, show_spinner="Tracing …")
def _plan(identifier: str) -> Plan:
    """The last map of the network, at a size that has room for its field where it takes one."""
    from explorer.labs import effective_field as effective
    from explorer.labs.receptive_field import field_at
    from explorer.serving import pool

    def work(network: Network) -> Plan:
        own = effective.start(network.model, network.input)
        trace = architecture_view.sheet(network.reference, None).trace
        field = field_at(trace, own.layer)
        if field is None:
            raise ValueError(f"the field of {own.layer} is not known by theory")
        roomy = effective.roomy(network.input, max(field.size))
        try:
            effective.start(network.model, roomy, own.layer)
        except ValueError:  # made for its own size only
            roomy = network.input
        return Plan(roomy.image_size, own.layer, field)

    return pool.shared().run(identifier, work).value


def complete(wanted: Sequence[Wanted], passes: int, place: DeltaGenerator) -> dict[Wanted, EffectiveField]:
    """All measurements with `passes` inputs, or as far as they are where the visitor stopped them.

    One input a lease, so that others who want the same network wait for one pass only.
    """
    signature = (tuple(wanted), passes)
    kept: OrderedDict[Wanted, EffectiveField] = st.session_state.setdefault(_FIELDS, OrderedDict())
    stopped = st.session_state.get(_STOPPED) == signature
    missing = sum(max(0, passes - (kept[each].passes if each in kept else 0)) for each in wanted)
    if missing and stopped:
        with place.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Stopped with {missing} of {passes * len(wanted)} inputs to go.")
            st.button("Go on", icon=":material/play_arrow:", key="rf_go_on", on_click=_go_on)
    elif missing:
        with place.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0)
            st.button(
                "Stop", icon=":material/stop:", key="rf_stop",
                on_click=lambda: st.session_state.update({_STOPPED: signature}),
            )  # fmt: skip
        whole = passes * len(wanted)
        try:
            for each in wanted:
                while each not in kept or kept[each].passes < passes:
                    done = whole - missing
                    bar.progress(done / whole, f"Input {done + 1} of {whole}: {named(each.weights_id)}")
                    kept[each] = _one_more(each, kept.get(each))
                    missing -= 1
        finally:
            place.empty()
    for each in wanted:
        if each in kept:
            kept.move_to_end(each)
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    # A longer run of before serves a shorter one too: more inputs only smooth it.
    return {each: kept[each] for each in wanted if each in kept}


def _go_on() -> None:
    st.session_state.pop(_STOPPED, None)


def _one_more(wanted: Wanted, so_far: EffectiveField | None) -> EffectiveField:
    from explorer.labs import effective_field as effective
    from explorer.serving import pool

    def work(network: Network) -> EffectiveField:
        spec = network.input.at(wanted.side)
        begun = so_far or effective.start(network.model, spec, wanted.layer, wanted.unit)
        return effective.measure(network.model, spec, begun, wanted.inputs)

    return pool.shared().run(wanted.weights_id, work).value


def _panel(wanted: Wanted, plan: Plan, found: EffectiveField) -> Panel:
    from explorer.ui.receptive_field_figures import Panel

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
    from explorer.labs.effective_field import energy_side

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
                "global through": plans[wanted].field.global_from or "",
            }
            for wanted, measured in found.items()
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        st.caption(
            "Measured here, at the middle unit of the last map. The input is the network's own, or larger "
            "where its field by theory is, up to 320 px, so that the map's border cuts nothing off; ≥ where "
            "it does. Each input's gradient is of all channels with random signs, squared and summed over "
            "colours."
        )
