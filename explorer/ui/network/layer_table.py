"""The table of layers: what a search finds in it, as a table on the page and as a file with every digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from explorer.ui.frame.state import one_of
from explorer.ui.kit import formatting, theme
from explorer.ui.network import choices
from explorer.ui.network.stages import StageIndex, title

if TYPE_CHECKING:
    from explorer.analysis import Layer, Stats

_HEIGHT = 390
_FIELD_COLUMNS = ("field_height", "field_width", "stride_height", "stride_width", "global_from")
_SHOWN = (
    "layer",
    "class",
    "kind",
    "stage",
    "output",
    "params",
    "params_percent",
    "macs",
    "macs_percent",
    "field",
    "stride_height",
)


def rows(sheet: Stats, modules: Mapping[str, str], index: StageIndex) -> pd.DataFrame:
    """One row a layer, exact numbers; fields and strides are in pixels, missing where no image is read."""
    return pd.DataFrame(
        {
            "layer": layer.path,
            "class": modules.get(layer.path, layer.name),
            "kind": layer.kind,
            "stage": index.of(layer.path),
            "output": formatting.shape(layer.output_shape) if layer.output_shape else "idle at inference",
            "params": layer.params,
            "params_percent": 100 * layer.params / max(1, sheet.params),
            "macs": layer.macs,
            "macs_percent": 100 * layer.macs / max(1, sheet.macs),
            "activations": layer.activations,
            **_field(layer),
        }
        for layer in sheet.layers
    )


def _field(layer: Layer) -> dict[str, object]:
    field = layer.receptive_field
    if field is None:
        return dict.fromkeys((*_FIELD_COLUMNS, "field"))
    values = (*field.size, *field.stride, field.global_from)
    return {**dict(zip(_FIELD_COLUMNS, values, strict=True)), "field": max(field.size)}


def found(table: pd.DataFrame, text: str, kind: str, stage: str) -> pd.DataFrame:
    """Rows whose layer, class or kind holds `text`, of one kind and one stage where those are given."""
    keep = pd.Series(True, index=table.index)
    if text.strip():
        words = table["layer"] + " " + table["class"] + " " + table["kind"]
        keep &= words.str.contains(text.strip(), case=False, regex=False)
    if kind:
        keep &= table["kind"] == kind
    if stage:
        keep &= table["stage"] == stage
    return table[keep]


def show(table: pd.DataFrame, stages: Sequence[str], file_name: str) -> None:
    """Search, filters, the table, and the download of what is shown."""
    kinds = {theme.ROLE_NAMES.get(kind, kind): kind for kind in dict.fromkeys(table["kind"])}
    search, kind_box, stage_box, download = st.columns([4, 3, 3, 2], vertical_alignment="bottom")
    text = search.text_input(
        "Search layers",
        key=choices.FIND,
        bind="query-params",
        persist_state="page",
        placeholder="layer1.0, conv, norm",
        icon=":material/search:",
    )
    kind = kind_box.selectbox(
        "Kind", [choices.ALL_KINDS, *kinds], key=choices.KIND, bind="query-params", persist_state="page"
    )
    _stage_box(stage_box, stages)
    shown = found(table, text or "", kinds.get(kind, ""), choices.stage())
    download.download_button(
        "CSV",
        shown.drop(columns="field").to_csv(index=False).encode(),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        help="The rows shown, with every digit.",
    )
    if shown.empty:
        st.info("No layer matches; shorten the search, or choose all kinds and the whole network.")
        return
    st.dataframe(
        shown.assign(
            kind=shown["kind"].map(lambda each: theme.ROLE_NAMES.get(each, each)),
            stage=shown["stage"].map(title),
        ),
        hide_index=True,
        height=min(_HEIGHT, 35 * (len(shown) + 1) + 3),
        column_order=_SHOWN,
        column_config=_columns(),
        alt="Layers with their output shape, parameters, MACs and receptive field",
    )
    st.caption(
        f"{len(shown)} of {len(table)} layers · {formatting.exact(shown['params'].sum())} parameters · "
        f"{formatting.exact(shown['macs'].sum())} MACs. Click a heading to sort."
    )


def _stage_box(slot, stages: Sequence[str]) -> None:
    """The stage as a list, beside the diagram's clicks."""
    box = f"{choices.STAGE}_box"
    st.session_state[box] = one_of(choices.STAGE, stages)
    slot.selectbox(
        "Stage",
        ["", *stages],
        format_func=lambda name: title(name) if name else "Whole network",
        key=box,
        on_change=lambda: st.session_state.update({choices.STAGE: st.session_state[box]}),
    )


def _share(title: str) -> Any:
    """A percentage as a bar; two columns may not have one title, so the second ends in a blank."""
    return st.column_config.ProgressColumn(title, format="%.1f %%", min_value=0, max_value=100, width=130)


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "layer": column.TextColumn("Layer", pinned=True, width="medium"),
        "class": column.TextColumn("Class"),
        "kind": column.TextColumn("Kind"),
        "stage": column.TextColumn("Stage", width="small"),
        "output": column.TextColumn(
            "Output",
            help="As the tensor lies: channels × height × width, or tokens × channels; inside some blocks "
            "channels come last.",
        ),
        "params": column.NumberColumn("Parameters", format="localized"),
        "params_percent": _share("of all"),
        "macs": column.NumberColumn("MACs", format="localized"),
        "macs_percent": _share("of all "),
        "field": column.NumberColumn(
            "Field (px)",
            help="Theoretical receptive field of one output element; the longer side of two.",
            width="small",
        ),
        "stride_height": column.NumberColumn(
            "Stride (px)", help="Distance of neighbouring elements in the image.", width="small"
        ),
    }
