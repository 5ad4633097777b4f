"""Memory by batch size, precision and optimiser: what training or inference of the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import streamlit as st

from explorer.ui.kit import bars, fields, formatting
from explorer.ui.kit.bars import Part
from explorer.ui.network.stats_sheet import accent_ramp

if TYPE_CHECKING:
    from explorer.analysis import Trace

_BATCH_SIZES = tuple(2**power for power in range(11))
_NAMES = {
    "weights": "Weights",
    "gradients": "Gradients",
    "optimiser": "Optimiser state",
    "activations": "Activations",
}
_NOTE = (
    "Estimated from the trace for eager execution: weights, gradients and optimiser state by the formula, "
    "activations by playing the operations through (training: what the backward pass needs; inference: the "
    "most alive at once). The framework's own workspace comes on top."
)


def show(trace: Trace, *, dark: bool) -> None:
    """Four choices, the total, and the bar of what it consists of."""
    from explorer.analysis.numbers.memory import OPTIMISERS, PRECISIONS, Mode, memory

    mode_box, batch_box, precision_box, optimiser_box = st.columns([2, 3, 3, 3], vertical_alignment="bottom")
    mode = fields.segments(
        mode_box,
        "Mode",
        get_args(Mode),
        default="training",
        key="memory",
        format_func=str.capitalize,
        persist_state="page",
    )
    batch_size = batch_box.select_slider(
        "Batch size", _BATCH_SIZES, 32, key="batch", bind="query-params", persist_state="page"
    )
    precision = precision_box.selectbox(
        "Precision",
        list(PRECISIONS),
        key="precision",
        bind="query-params",
        persist_state="page",
        help="Bytes of a weight and of an activation; a master copy keeps the weights a second time in fp32.",
    )
    optimiser = optimiser_box.selectbox(
        "Optimiser",
        list(OPTIMISERS),
        index=list(OPTIMISERS).index("SGD + momentum"),
        key="optimiser",
        bind="query-params",
        persist_state="page",
        disabled=mode == "inference",
        help="Its state: one number a parameter for momentum, two for Adam.",
    )
    needed = memory(trace, batch_size, precision, optimiser, mode)
    uses = {name: getattr(needed, use) for use, name in _NAMES.items() if getattr(needed, use)}
    ramp = dict(zip(_NAMES.values(), accent_ramp(len(_NAMES), dark=dark), strict=True))
    total, bar = st.columns([1, 5], vertical_alignment="center")
    total.metric(
        "Memory",
        formatting.size(needed.total),
        f"{formatting.exact(needed.total)} bytes",
        "off",
        delta_arrow="off",
    )
    with bar:
        bars.show(
            {"": [Part(name, amount, ramp[name]) for name, amount in uses.items()]}, amount=formatting.size
        )
    largest = max(uses, key=lambda name: uses[name])
    st.caption(f"{largest} take {formatting.share(uses[largest], needed.total)} of it. {_NOTE}")
