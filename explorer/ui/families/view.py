"""The block of each family, small and side by side: from its trace, by the painter of the block diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from explorer import catalogue
from explorer.ui.diagram.svg import variables
from explorer.ui.frame import state
from explorer.ui.kit import components, theme

if TYPE_CHECKING:
    from explorer.ui.diagram.drawing import Drawing

_SEEN = "_gallery_seen"
_SCALE = 0.92  # of the diagram's size; the same for all, so that they compare
_REM = 16.0  # pixels; drawings grow with the type when presenting


@dataclass(frozen=True)
class Specimen:
    """A family's typical block. architecture: catalogue id. block: id of the node one looks into.

    opened: ids of the boxes inside that the point depends on. look: what to look for.
    """

    name: str
    architecture: str
    block: str
    look: str
    opened: tuple[str, ...] = ()

    @property
    def entry(self) -> catalogue.Architecture:
        return catalogue.get(self.architecture)

    @property
    def link(self) -> str:
        """Query of the Architecture page inside this block; the parts that are drawn open are open there."""
        query = {"arch": self.architecture, "inside": self.block}
        if self.opened:
            query |= {"level": "stage", "open": " ".join(self.opened)}
        return "?" + urlencode(query)


SPECIMENS = (
    Specimen(
        "Plain",
        "vgg16",
        "stage-2",
        "One way through: 3×3, ReLU, again, then pool.",
        ("conv2d_2+1..conv2d_3+1", "conv2d_2+1", "conv2d_3+1"),
    ),
    Specimen(
        "Inception",
        "googlenet",
        "inception3a",
        "Four branches meet in a concatenation, 1×1 before the costly ones; torchvision has 3×3 for 5×5.",
        ("inception3a.branch2", "inception3a.branch3", "inception3a.branch4"),
    ),
    Specimen("Residual", "resnet50", "layer1.1", "The line that jumps over three layers into the plus."),
    Specimen(
        "Dense",
        "densenet121",
        "features.denseblock1.denselayer2",
        "It starts by concatenating all earlier outputs, and adds only 32 channels of its own.",
    ),
    Specimen(
        "Compact: inverted",
        "mobilenet_v2",
        "features.3",
        "24 channels, 144, 24: the skip joins the thin ends, the depthwise filter works in the wide middle.",
    ),
    Specimen(
        "Compact: shuffle",
        "shufflenet_v1",
        "stages.0.2",
        "Grouped 1×1 layers, and between them the shuffle that lets the groups hear each other.",
    ),
    Specimen(
        "Scaled",
        "efficientnet_b0",
        "features.2.1",
        "The inverted block again, with a gate before the last 1×1; depth, width and image grow together.",
    ),
    Specimen(
        "Attention on channels",
        "se_resnet50",
        "layer1.1",
        "The side path: pool, two small layers, a sigmoid, and the product with the map.",
        ("layer1.1.se",),
    ),
    Specimen(
        "Transformer",
        "vit_b16",
        "encoder.layers.encoder_layer_0",
        "Two skips: around attention, which mixes positions, and around the MLP, which mixes channels.",
        ("encoder.layers.encoder_layer_0.mlp",),
    ),
    Specimen(
        "ConvNeXt",
        "convnext_t",
        "features.1.0",
        "The transformer's order with a 7×7 depthwise filter in attention's place; one norm, one GELU.",
    ),
)


_component = components.declare(
    "block_gallery",
    html='<div class="gallery"></div>',
    css=theme.asset("diagram/svg.css") + theme.asset("families/view.css"),
    js=theme.asset("families/browser.js"),
)


def show() -> None:
    """All of them; the first visitor of a server sees how far the tracing is."""
    colours = ";".join(f"--{name}:{colour}" for name, colour in variables(None).items())
    cards = gallery(SPECIMENS, _all(), "&present=true" if state.presenting() else "")
    _component(key="block_gallery", data={"html": cards, "colours": colours})


def _all() -> list[Drawing]:
    place = st.empty()
    made = []
    for number, specimen in enumerate(SPECIMENS):
        if not st.session_state.get(_SEEN):
            text = f"Drawing {number + 1} of {len(SPECIMENS)}: the block of {specimen.entry.name}"
            place.progress(number / len(SPECIMENS), text=text)
        made.append(_kept(specimen))
    place.empty()
    st.session_state[_SEEN] = True
    return made


@st.cache_resource(show_spinner=False)
def _kept(specimen: Specimen) -> Drawing:
    return paint(specimen)


def paint(specimen: Specimen) -> Drawing:
    """From the trace of the architecture's own build. Raises KeyError where it has no such block."""
    from explorer import analysis, networks
    from explorer.analysis.structure.hierarchy import hierarchy
    from explorer.ui.diagram.drawing import Wanted, drawing

    trace = analysis.trace(networks.resolve(specimen.architecture))
    whole = hierarchy(trace, analysis.receptive_fields(trace))
    missing = set(specimen.opened) - {each.id for each in whole.by_id[specimen.block].walk()}
    if missing:
        raise KeyError(f"{specimen.architecture}: no {', '.join(sorted(missing))} in {specimen.block}")
    wanted = Wanted(frozenset(specimen.opened), inside=specimen.block, flow="down")
    return drawing(whole, wanted, title=specimen.entry.name)


def gallery(specimens: Sequence[Specimen], painted: Sequence[Drawing], more: str = "") -> str:
    """The cards as HTML. more: what every link carries along."""
    return "".join(_card(each, drawn, more) for each, drawn in zip(specimens, painted, strict=True))


def _card(specimen: Specimen, drawn: Drawing, more: str) -> str:
    entry = specimen.entry
    colour = theme.FAMILIES.get(entry.family, theme.NEUTRAL)
    link = escape(specimen.link + more)
    spoken = escape(f"Block of {entry.name}: {', '.join(drawn.names)}")
    size = f"width:{drawn.width * _SCALE / _REM:.2f}rem"
    svg = drawn.svg.replace("<svg ", f'<svg viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}" ', 1)
    svg = svg.replace(' tabindex="-1"', "")  # here its boxes are no buttons
    return (
        f'<article style="--family:light-dark({colour.light}, {colour.dark})">'
        f"<h2>{escape(specimen.name)}</h2>"
        f'<a href="{link}" title="Open this block">{escape(entry.name)} · {entry.year}</a>'
        f"<p>{escape(specimen.look)}</p>"
        f'<div class="drawing" role="img" aria-label="{spoken}" style="{size}">{svg}</div></article>'
    )
