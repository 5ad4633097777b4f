"""What the views of the Normalisation page share: controls, answers kept in the visit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.ui.kit import fields, lab, once

if TYPE_CHECKING:
    from PIL import Image
    from streamlit.delta_generator import DeltaGenerator

    from explorer.networks import Network

T = TypeVar("T")

TENSOR, LAYER = "ntensor", "nlayer"
NUMBERS, NORMAL, FROM_LAYER = "Numbers", "Normal", "A layer"
SIZES = (2, 4, 8, 16, 32, 64, 128, 256)  # of a batch
MOST_NUMBERS = 8

_VALUES = f"Up to {MOST_NUMBERS}, apart by commas or spaces."
_MOMENTUM = (
    "PyTorch's: new = (1 − momentum) · old + momentum · batch. "
    "Keras calls 1 − momentum by that name: its 0.99 is 0.01 here."
)
_DROPOUT = (
    "And stochastic depth, and whatever else draws at random: `model.train()` switches all; off, "
    "only the batch norms are in training mode."
)


@dataclass(frozen=True)
class Choices:
    """Ranges that a layer decides are given where a view draws, and so is the list of norms: torch has it."""

    norm: str = lab.words("nkind", "Normalisation", ("Batch",), named=False)
    tensor: str = lab.hidden(TENSOR)
    groups: int = lab.steps("ngroups", "Groups", (1, 2, 4, 8), 2)
    picture: int = lab.slider("npic", "Picture", 1, 4, 1)
    cell_channel: int = lab.slider("nchan", "Channel", 1, 8, 3)
    source: str = lab.words("nsource", "Values", (NUMBERS, NORMAL, FROM_LAYER))
    values: str = lab.text("nvalues", "Numbers of one channel", "2, 4, 6, 8", max_chars=80, help=_VALUES)
    gamma: float = lab.slider("gamma", "γ, the scale", -6.0, 6.0, 2.0)
    beta: float = lab.slider("beta", "β, the shift", -6.0, 6.0, 1.0)
    population: str = lab.words("npopulation", "Values", (NORMAL, FROM_LAYER))
    batch: int = lab.steps("nbatch", "Pictures in a batch", SIZES, 16)
    momentum: float = lab.slider("momentum", "Momentum", 0.01, 1.0, 0.1, 0.01, help=_MOMENTUM)
    company: int = lab.steps("ncompany", "Pictures in the batch", (2, 4, 8), 4)
    dropout: bool = lab.toggle("ndropout", "Dropout on as well", help=_DROPOUT)
    layer: str = lab.hidden(LAYER)
    map_channel: int = lab.slider("nmap", "Channel", 1, 8, 1)
    weights: str = lab.hidden("weights")
    sample: str = lab.hidden("sample")


def ask(weights_id: str, key: tuple[Hashable, ...], look: Callable[[Network], T]) -> T:
    """`look` at the loaded network, or what it gave for this key before in this visit."""
    return once.ask("normalisation", weights_id, key, look, "Looking into the network: about two seconds …")


def menu(
    slot: DeltaGenerator, label: str, field: str, options: Mapping[str, str], shown: str, help: str = ""
) -> None:
    """options: value in the link -> what the menu says."""
    fields.select(
        slot,
        label,
        field,
        list(options),
        shown=shown,
        choose=lambda value: st.session_state.update({field: value}),
        format_func=lambda value: options[value],
        help=help,
    )


def norm_layers(weights_id: str) -> Mapping[str, str]:
    """Path -> kind of the network's norm layers; found once a visit."""
    from explorer.labs.normalisation import networks

    return ask(weights_id, ("layers",), lambda network: networks.norm_layers(network.model))


@st.cache_resource(show_spinner=False)
def samples() -> Mapping[str, Image.Image]:
    """Title -> picture of the samples; they are everyone's."""
    from explorer.inference import SAMPLES, decode

    return {sample.title: decode(sample.load()) for sample in SAMPLES.values()}
