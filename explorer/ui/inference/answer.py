"""From picture and choices to an answer, computed once and kept in the visit.

This is where the Inference page meets the core: everything heavy is imported inside functions, so that
importing this module stays light. Nothing of a visitor's picture is cached across visits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.networks.own import registry
from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import fields, once
from explorer.ui.kit.formatting import plain, size
from explorer.ui.picture import choices, weights
from explorer.ui.picture.current import Picture
from explorer.ui.picture.parts import data_url, is_tiny

if TYPE_CHECKING:
    from explorer.inference import Explanation
    from explorer.inference.through.columns import Column
    from explorer.inference.through.maps import Maps
    from explorer.networks import Network, Reference, WeightsEntry
    from explorer.serving.pool import Progress

_WANTED = "_download_wanted"
_KEPT = 6  # explanations in one visit
_TOP = 5


@dataclass(frozen=True, eq=False)
class Way:
    """The picture's way through the network, of which `opened` is seen from inside.

    maps: by the path of a column's layer. missing: why there are no columns, or "".
    """

    opened: str
    columns: tuple[Column, ...]
    maps: Mapping[str, Maps]
    missing: str = ""


@dataclass(frozen=True, eq=False)  # one is itself, so that what is made of it can be kept
class ShownExplanation:
    """An explanation with what the page says about it.

    layers: where this network can be explained. note: where it runs, if that is not as wanted. instead: why
    the method that was asked for does not apply and another was taken, or "".
    display_url, view_url: the crop at the picture's own resolution, and as the network gets it.
    """

    explanation: Explanation
    entry: WeightsEntry
    labels: tuple[str, ...] = field(repr=False)
    layers: tuple[str, ...] = field(repr=False)
    default_layer: str
    note: str
    display_url: str = field(repr=False)
    view_url: str = field(repr=False)
    heat_url: str = field(repr=False)
    way: Way = field(repr=False)
    instead: str = ""

    @property
    def tiny(self) -> bool:
        return is_tiny(self.explanation.view)


@dataclass(frozen=True)
class Question:
    """What an answer depends on. layer: a path, "" for the network's usual one; target: index of the class to
    explain, None for the likeliest; method: of `METHODS`.

    opened: what `through.columns` is given; a matter of the drawing alone.
    """

    picture: Picture
    layer: str
    target: int | None
    method: str
    opened: str = ""

    def key(self, entry: WeightsEntry) -> tuple[object, ...]:
        return self.picture.digest, entry.id, self.layer, self.target, self.method


def _answers() -> once.Kept[tuple[object, ...], ShownExplanation]:
    return once.kept("answers", _KEPT)


def answered_before() -> bool:
    """Whether this visit has seen an answer, which then stays on screen until the next one is ready."""
    return bool(_answers())


@dataclass(frozen=True)
class Lookers:
    """Who is to look at the picture. entries: what the network can be given, untrained last.

    asked: the weights that the link or the choice of a network means; None where nobody has published any,
    for an untrained network is never taken unasked but for the visitor's own. used: who answers now: `asked`,
    or the best network on this machine where they must be downloaded first; None where there is none. others:
    weights of other networks that need no download.
    """

    entries: tuple[WeightsEntry, ...]
    asked: WeightsEntry | None
    used: WeightsEntry | None
    others: tuple[WeightsEntry, ...]


def lookers(here: Page) -> Lookers:
    from explorer import networks

    reference = here.reference() if state.chosen() else _unasked()
    trained, untrained = networks.weights_of(reference), networks.entry_of(f"random:{reference}")
    owned = registry.get(reference.name) if reference.builder == "own" else None
    entries = trained if owned and owned.made_by_code else (*trained, untrained)
    named = {entry.id: entry for entry in entries}.get(fields.get(choices.WEIGHTS))
    asked = named or (networks.choose_weights(reference) if trained else untrained if owned else None)
    here_now = networks.on_this_machine()
    used = asked if asked and asked.on_this_machine else next(iter(here_now), None)
    return Lookers(entries, asked, used, tuple(each for each in here_now if each not in entries))


def _unasked() -> Reference:
    """Where no network is chosen: the one of the weights that the link names, else the best here."""
    from explorer import networks

    try:
        return networks.choose_weights(None, fields.get(choices.WEIGHTS)).reference
    except ValueError:  # no weights are called so, which the page says
        return networks.choose_weights(None).reference


def obtain(asked: Question, who: Lookers, place: DeltaGenerator) -> ShownExplanation | None:
    """The answer, computed unless this visit has it; None after `place` says why there is none."""
    if who.asked is not who.used:
        if found := _downloaded(asked, who.asked, place):
            return found
        _offer_download(who, place)
    if who.used is None:
        return None
    return _answers().get(asked.key(who.used)) or _asked(asked, who.used, place)


def _downloaded(
    asked: Question, entry: WeightsEntry | None, place: DeltaGenerator
) -> ShownExplanation | None:
    """What `entry` answers, if the visitor has just pressed its download button."""
    wanted = st.session_state.pop(_WANTED, None)
    return _asked(asked, entry, place) if entry and wanted == entry.id else None


def _asked(asked: Question, entry: WeightsEntry, place: DeltaGenerator) -> ShownExplanation | None:
    from explorer.inference import METHODS
    from explorer.networks import WeightsUnavailable

    slot = place.empty()
    try:
        with slot:
            if not entry.on_this_machine:
                return ask(asked, entry, _bar(entry))
            if METHODS[asked.method].long:
                return ask(asked, entry, passes=_passes(asked.method))
            with st.spinner("Looking: about a second, the largest networks up to ten …"):
                return ask(asked, entry)
    except (WeightsUnavailable, ValueError) as error:
        place.error(plain(str(error)), icon=":material/error:")
    finally:
        slot.empty()  # or the bar would stay where it ended
    return None


def _offer_download(who: Lookers, place: DeltaGenerator) -> None:
    """One line: what is not here, who answers in its stead, and the button that fetches it."""
    entry = who.asked
    instead = f"; **{plain(weights.short(who.used))}** answers" if who.used else ""
    with place.container(horizontal=True, vertical_alignment="center", key="stand_in"):
        if entry is None:
            st.markdown(f":material/cloud_off: Nobody has published weights for this network{instead}.")
            return
        st.markdown(
            f":material/cloud_off: **{plain(weights.short(entry))}** is not on this machine yet{instead}.",
            width="content",
        )
        st.button(
            f"Download {size(entry.bytes)}" if entry.bytes else "Download",
            icon=":material/download:",
            key="download",
            help=f"{plain(entry.label)}. Licence: {plain(entry.licence)}.",
            on_click=lambda: st.session_state.update({_WANTED: entry.id}),
        )


def _bar(entry: WeightsEntry) -> Progress:
    bar = st.progress(0.0, "Asking the server …")

    def show(done: int, total: int | None) -> None:
        whole = total or entry.bytes
        text = f"{size(done)} of {size(whole)}" if whole else size(done)
        bar.progress(min(1.0, done / whole) if whole else 0.0, text)

    return show


def _passes(method: str) -> Callable[[int, int], None]:
    """A bar for a method of many passes; to choose something else meanwhile stops it."""
    begun = time.monotonic()
    bar = st.progress(0.0, f"{plain(method)}: choose another to stop it …")

    def show(done: int, passes: int) -> None:
        left = (time.monotonic() - begun) * (passes - done) / done
        bar.progress(done / passes, f"{plain(method)}: {done} of {passes} passes, about {left:.0f} s left …")

    return show


def ask(
    asked: Question,
    entry: WeightsEntry,
    progress: Progress | None = None,
    passes: Callable[[int, int], None] | None = None,
) -> ShownExplanation:
    """What the network with these weights answers. progress: of a download, passes: of a method of many.

    Raises WeightsUnavailable or ValueError.
    """
    from explorer.serving import pool

    done = pool.shared().run(entry.id, lambda network: _explain(network, asked, passes), progress)
    seconds = {**done.value.explanation.seconds, "load": done.load_seconds}
    explanation = replace(done.value.explanation, seconds=seconds)
    found = replace(done.value, explanation=explanation, note=done.note)
    _answers()[asked.key(entry)] = found
    return found


def _explain(
    network: Network, asked: Question, passes: Callable[[int, int], None] | None
) -> ShownExplanation:
    """A layer or class that this network does not have, as an old link may name, counts as not chosen; where
    the method does not apply to it, the usual one stands in."""
    from PIL import Image

    from explorer import inference
    from explorer.inference.through.columns import columns
    from explorer.networks.running import CannotRun

    layers, target = inference.layers(network), asked.target
    along: tuple[Column, ...] = ()
    missing = ""
    try:
        along = columns(network, asked.opened)
    except CannotRun as error:  # its way cannot be read, which says nothing about its answer
        missing = str(error)
    # Without names timm's networks still know how many outputs they have.
    known = len(network.labels) or getattr(network.model, "num_classes", None)
    if network.outputs == "embedding" or (target is not None and known is not None and target >= known):
        target = None
    explain = partial(
        inference.explain,
        network,
        asked.picture.image,
        layer=asked.layer if asked.layer in layers else None,
        target=target,
        top_k=_TOP,
        decode_seconds=asked.picture.decode_seconds,
        progress=passes,
        along=along,
    )
    instead = ""
    try:
        explanation = explain(method=asked.method)
    except inference.DoesNotApply as why:
        usual = next(iter(inference.METHODS))
        explanation, instead = explain(method=usual), f"{why} {usual} is shown."
    heat = Image.fromarray((explanation.heatmap * 255).round().astype("uint8"))
    return ShownExplanation(
        explanation=explanation,
        entry=network.weights,
        labels=network.labels,
        layers=layers,
        default_layer=inference.default_layer(network),
        note="",
        display_url=data_url(Image.fromarray(explanation.display), lossless=False),
        view_url=data_url(Image.fromarray(explanation.view), lossless=is_tiny(explanation.view)),
        heat_url=data_url(heat, lossless=True),
        way=Way(asked.opened, along, explanation.passage, missing),
        instead=instead,
    )
