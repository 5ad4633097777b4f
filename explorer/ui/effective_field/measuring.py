"""Effective fields measured for a page: input by input, to be stopped at any time, kept in the visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.kit import once
from explorer.ui.kit.formatting import left_at_this_pace
from explorer.ui.network import sheet

if TYPE_CHECKING:
    from explorer.analysis import ReceptiveField
    from explorer.labs.receptive_field.effective import EffectiveField
    from explorer.networks import Network, Reference

_KEPT, _STOPPED = 16, "_effective_stopped"
_DRAWN = (1, 5, 10, 20, 50)  # rounds after which the caller may show what there is


@dataclass(frozen=True)
class Wanted:
    """One measurement; the key under which it is kept."""

    weights_id: str
    side: int
    inputs: str
    layer: str
    unit: tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """Where one network is measured, and what its field is by theory."""

    side: int
    layer: str
    unit: tuple[int, int]
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
    from explorer.labs.receptive_field.effective import effective_width

    return effective_width(found.energy)


@st.cache_resource(
    max_entries=64, show_spinner="Tracing, about two seconds, the largest networks up to twenty …"
)
def plan_of(identifier: str) -> Plan:
    """The last map of the network, at a size that has room for its field where it takes one."""
    from explorer.labs.receptive_field import effective
    from explorer.labs.receptive_field.theory import central_unit, field_at
    from explorer.serving import pool

    def work(network: Network) -> Plan:
        own = effective.start(network.model, network.input)
        trace = sheet.sheet(network.reference, None).trace
        field = field_at(trace, own.layer)
        if field is None:
            raise ValueError(f"the field of {own.layer} is not known by theory")
        roomy = effective.roomy(network.input, max(field.size))
        try:
            effective.start(network.model, roomy, own.layer)
        except ValueError:  # made for its own size only
            roomy = network.input
        return Plan(roomy.image_size, own.layer, central_unit(field, roomy.shape[1:]), field)

    return pool.shared().run(identifier, work).value


def complete(
    wanted: Sequence[Wanted],
    passes: int,
    bar_slot: DeltaGenerator,
    button_slot: DeltaGenerator,
    drawn: Callable[[Mapping[Wanted, EffectiveField]], None] = lambda found: None,
) -> dict[Wanted, EffectiveField]:
    """All measurements with `passes` inputs, or as far as they are where the visitor stopped them.

    In turns, one input a lease, so that all grow alike and others who want a network wait for one pass only.
    drawn: called now and then with what there is.
    """
    signature = (tuple(wanted), passes)
    kept: once.Kept[Wanted, EffectiveField] = once.kept("effective_fields", _KEPT)
    missing = sum(max(0, passes - _passes(kept, each)) for each in wanted)
    bar, button = bar_slot.empty(), button_slot.empty()
    if missing and st.session_state.get(_STOPPED) == signature:
        bar.caption(f"Stopped with {missing} of {passes * len(wanted)} inputs to go.")
        button.button("Go on", icon=":material/play_arrow:", key="rf_go_on", on_click=_go_on)
    elif missing:
        button.button("Stop", icon=":material/stop:", key="rf_stop", on_click=_stop, args=(signature,))
        whole = passes * len(wanted)
        drawn({each: kept[each] for each in wanted if each in kept})
        started, already = perf_counter(), whole - missing
        try:
            begun = min(_passes(kept, each) for each in wanted)
            for turn in range(begun + 1, passes + 1):
                for each in wanted:
                    if _passes(kept, each) < turn:
                        done = whole - missing
                        left = left_at_this_pace(perf_counter() - started, done - already, missing)
                        bar.progress(done / whole, f"Input {done + 1} of {whole}{left}")
                        kept[each] = _one_more(each, kept.get(each))
                        missing -= 1
                if turn in _DRAWN and missing:
                    drawn({each: kept[each] for each in wanted})
        finally:
            bar.empty()
            button.empty()
    for each in wanted:
        if each in kept:
            kept.move_to_end(each)
    # A longer run of before serves a shorter one too: more inputs only smooth it.
    return {each: kept[each] for each in wanted if each in kept}


def _passes(kept: Mapping[Wanted, EffectiveField], wanted: Wanted) -> int:
    return kept[wanted].passes if wanted in kept else 0


def _stop(signature: tuple[tuple[Wanted, ...], int]) -> None:
    st.session_state[_STOPPED] = signature


def _go_on() -> None:
    st.session_state.pop(_STOPPED, None)


def _one_more(wanted: Wanted, so_far: EffectiveField | None) -> EffectiveField:
    from explorer.labs.receptive_field import effective
    from explorer.serving import pool

    def work(network: Network) -> EffectiveField:
        spec = network.input.at(wanted.side)
        begun = so_far or effective.start(network.model, spec, wanted.layer, wanted.unit)
        return effective.measure(network.model, spec, begun, wanted.inputs)

    return pool.shared().run(wanted.weights_id, work).value
