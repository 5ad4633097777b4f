"""What a link to Measure here carries beyond the networks: view, batch sizes, and how they run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.serving.measurements import PRECISIONS, Setting
from explorer.ui.kit.fields import segments
from explorer.ui.network import choices
from explorer.ui.network.several import NETWORKS, Chosen

VIEW, BATCHES, PRECISION, DEVICE = "measure", "mbatch", "mprecision", "mdevice"
CHANNELS_LAST, COMPILED, WATTS, PLOT = "mlast", "mcompile", "mwatts", "mplot"
RESULTS, ROOFLINE, KINDS = "Results", "Roofline", "By kind"
VIEWS = (RESULTS, ROOFLINE, KINDS)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
THROUGHPUT, LATENCY, MEMORY, ENERGY = "Throughput", "Latency", "Memory", "Energy"
# As many MACs as a tenth of the other's, and nowhere near a tenth of its time.
PAIR = ("resnet50", "efficientnet_b0")
START: Mapping[str, Any] = MappingProxyType(
    {
        VIEW: RESULTS,
        NETWORKS: "",
        BATCHES: [1, 4, 16],
        PRECISION: PRECISIONS[0],
        DEVICE: None,
        CHANNELS_LAST: False,
        COMPILED: False,
        WATTS: None,
        PLOT: THROUGHPUT,
        choices.SIZE: None,
    }
)
ABOUT_NETWORKS = (
    "Up to four: of the catalogue, or any name that timm or torchvision knows, typed. Weights are random, as "
    "their values change neither time nor memory."
)


@dataclass(frozen=True)
class Choices:
    """batch_sizes: ascending. pixels: side of all inputs, None for each network's own. watts: the power that
    the visitor assumes, None for no statement on energy.
    """

    setting: Setting
    batch_sizes: tuple[int, ...]
    pixels: int | None
    watts: float | None


def view(slot: DeltaGenerator) -> str:
    return segments(slot, "View", VIEWS, default=RESULTS, key=VIEW, label_visibility="collapsed")


def row(batch_slot: DeltaGenerator, precision_slot: DeltaGenerator, more_slot: DeltaGenerator) -> Choices:
    sizes = batch_slot.pills(
        "Batch sizes", BATCH_SIZES, selection_mode="multi", default=START[BATCHES], key=BATCHES,
        bind="query-params", help="Images in one pass. Roofline and By kind use the smallest of these.",
    )  # fmt: skip
    precision = precision_slot.selectbox(
        "Precision", PRECISIONS, key=PRECISION, bind="query-params",
        help="Of weights and input alike. float16 needs an accelerator.",
    )  # fmt: skip
    with more_slot.popover("Options", icon=":material/tune:", width="stretch"):
        device = _device()
        last = st.toggle(
            "Channels last", key=CHANNELS_LAST, bind="query-params",
            help="Memory in the order N, H, W, C, which many convolution kernels prefer.",
        )  # fmt: skip
        hosted = bool(os.environ.get("EXPLORER_HOSTED"))  # nobody can stop a compiler that strangers start
        compiled = st.toggle(
            "Compiled", key=COMPILED, bind="query-params", disabled=hosted,
            help="Through torch.compile, which takes a minute and more before the first pass. Not for the "
            "layer by layer views.",
        )  # fmt: skip
        pixels = choices.image_size(None)
        watts = st.number_input(
            "Power to assume (W)", 0.1, 10_000.0, value=None, step=5.0, key=WATTS, bind="query-params",
            placeholder="none: no statement on energy",
            help="Nothing here measures power. Type what the device draws under load, and energy is that "
            "power times the measured time.",
        )  # fmt: skip
    chosen = tuple(sorted(sizes)) or (1,)
    return Choices(Setting(device, precision, last, compiled and not hosted), chosen, pixels, watts)


def plot(slot: DeltaGenerator, watts: float | None) -> str:
    """What the chart shows; energy only where a power is assumed."""
    offered = [THROUGHPUT, LATENCY, MEMORY, *([ENERGY] if watts else [])]
    return segments(slot, "Chart", offered, default=THROUGHPUT, key=PLOT, label_visibility="collapsed")


def titles(chosen: Sequence[Chosen]) -> list[str]:
    """Each another: builds of one architecture by two builders carry one name."""
    names = [each.title for each in chosen]
    return [
        f"{name} ({each.about.reference.shown})" if each.about.reference and names.count(name) > 1 else name
        for each, name in zip(chosen, names, strict=True)
    ]


def _device() -> str:
    """The server's choice of device first."""
    from explorer.serving import choose_device
    from explorer.serving.benchmark import devices

    options = list(dict.fromkeys([choose_device(), *devices()]))
    return st.selectbox("Device", options, key=DEVICE, bind="query-params") or options[0]
