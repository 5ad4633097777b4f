"""Which trained weights a network has, which lie on this machine, and a button that fetches the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.frame import links
from explorer.ui.kit import formatting
from explorer.ui.kit.formatting import plain

if TYPE_CHECKING:
    from explorer.networks import Reference, WeightsEntry

_SHORT_LIST = 6


def show(reference: Reference, arch: str) -> None:
    """The list, then what to do with one of it. `arch` is what the link to Inference carries on."""
    from explorer import networks  # torch: only when this list is looked at

    entries = networks.weights_of(reference)
    if not entries:
        st.info(
            f"No weights are known for {plain(str(reference))}; Inference can run it untrained.",
            icon=":material/info:",
        )
        return
    st.dataframe(
        [_row(entry) for entry in entries],
        hide_index=True,
        height="auto" if len(entries) <= _SHORT_LIST else 35 * (_SHORT_LIST + 1) + 3,
        placeholder="–",
        column_config={
            "Weights": st.column_config.TextColumn("Weights", width="large"),
            "Page": st.column_config.LinkColumn("Page", display_text="open", width="small"),
            "Top-1": st.column_config.NumberColumn(
                "Top-1 (%)", help="As published with these weights; the protocol is theirs.", format="%.3g"
            ),
        },
    )
    choice, action = st.columns([3, 2], vertical_alignment="bottom")
    labels = {entry.id: entry for entry in entries}
    with choice:
        picked = st.selectbox(
            "Weights", list(labels), format_func=lambda each: labels[each].label, key="weights_row"
        )
    with action:
        _action(labels[picked], arch)


def _row(entry: WeightsEntry) -> dict[str, object]:
    top1 = entry.facts.get("top1")
    return {
        "Weights": entry.label,
        "Here": "on this machine" if entry.on_this_machine else "to download",
        "Size": formatting.size(entry.bytes) if entry.bytes else "not stated",
        "Licence": entry.licence,
        "Top-1": top1.value if top1 else None,
        "Page": entry.url or None,
    }


def _action(entry: WeightsEntry, arch: str) -> None:
    if entry.on_this_machine:
        address = links.address("inference", arch=arch, weights=entry.id)
        links.button(address, "Look at a photo with these", "weights_to_inference", ":material/image_search:")
    elif st.button(_download_label(entry), icon=":material/download:", key="download_weights"):
        _download(entry)


def _download_label(entry: WeightsEntry) -> str:
    return f"Download {formatting.size(entry.bytes)}" if entry.bytes else "Download"


def _download(entry: WeightsEntry) -> None:
    """Fetch with a bar that moves; without a network, the sentence that says what works instead."""
    from explorer import networks

    bar = st.progress(0.0, text="Asking for the weights")

    def progress(done: int, total: int | None) -> None:
        known = f" of {formatting.size(total)}" if total else ""
        bar.progress(min(1.0, done / total) if total else 0.0, text=f"{formatting.size(done)}{known}")

    try:
        networks.load(entry.id, progress)
    except (networks.WeightsUnavailable, ValueError, RuntimeError) as unavailable:
        bar.empty()
        st.error(plain(str(unavailable)), icon=":material/cloud_off:")
        return
    st.rerun()
