"""The views of the Compare page: numbers, stages, layers, effective fields, and what was measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st

from explorer.ui.compare import numbers as compare_numbers
from explorer.ui.effective_field import view as effective_field_view
from explorer.ui.frame import links as onward
from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, formatting, lab, theme
from explorer.ui.network import notes, stats_sheet
from explorer.ui.network.several import NETWORKS, Chosen
from explorer.ui.side_by_side import columns as stage_columns
from explorer.ui.side_by_side import view as side_by_side

VIEW, UNTRAINED = "compare", "untrained"
NUMBERS, DIAGRAM, LAYERS, FIELD, MEASURED = "Numbers", "Diagram", "Layers", "Effective field", "Measured"
VIEWS = (NUMBERS, DIAGRAM, LAYERS, FIELD, MEASURED)
START: Mapping[str, Any] = MappingProxyType(
    {
        VIEW: NUMBERS,
        NETWORKS: "",
        state.SIZE: None,
        UNTRAINED: False,
        **lab.first_values(effective_field_view.Choices),
    }
)
_TABLE_HEIGHT = 460  # pixels


def links(chosen: Sequence[Chosen]) -> None:
    """To the page of each network, and of its measurement here."""
    with st.container(horizontal=True, gap="small"):
        for each in chosen:
            title, key = formatting.plain(each.title), f"compared_{each.name}"
            onward.architecture(each.asked.network, title, key, each.another_size)


def numbers(chosen: Sequence[Chosen]) -> None:
    from explorer.analysis.comparing.comparison import compare

    compared = [each.compared() for each in chosen]
    rows = compare(compared)
    theme.apply("compare/page.css")
    st.html(compare_numbers.table(chosen, compared, rows))
    explain.look_for(
        "Which number moves most, and which hardly? Parameters, MACs and memory need not go together: "
        "weights sit where channels are many, memory where maps are large. A top-1 belongs to weights and "
        "their recipe, not to the architecture alone."
    )
    st.caption(
        "Counted on each network's own trace; throughput as timm publishes it; top-1 as published, with its "
        "protocol, and subtracted only where networks, crops, input size and pictures are the same. "
        f"{stats_sheet.MACS_HELP} Memory is estimated from the trace, in float32, "
        "training with SGD and momentum."
    )
    _csv(compare_numbers.frame(chosen, compared, rows), chosen, "numbers")
    with st.expander("All published results", icon=":material/menu_book:"):
        for each in chosen:
            st.markdown(f"**{formatting.plain(each.title)}**")
            notes.results(each.about.entry, of_another_size=not each.about.own_facts)


def diagram(chosen: Sequence[Chosen]) -> None:
    from explorer.analysis.comparing.alignment import align, align_all

    theme.apply("side_by_side/view.css")
    sides = [side_by_side.side(each.title, each.sheet) for each in chosen]
    boxes = [each.sheet.hierarchy for each in chosen]
    if len(chosen) == 2:
        (left, right), rows = sides, align(boxes[0], boxes[1])
        st.html(side_by_side.table(left, right, rows))
    else:
        st.html(stage_columns.table(sides, align_all(boxes)))
    explain.look_for(
        "Rows share a scale: a stage's grid is the image halved as often. Where do the networks spend their "
        "MACs, early on large grids or late on small ones? Differences are against the first of a row."
    )


def layers(chosen: Sequence[Chosen]) -> None:
    joined = layer_frame(chosen)
    st.dataframe(
        joined,
        hide_index=True,
        height=_TABLE_HEIGHT,
        column_config=_layer_columns(chosen),
        placeholder="",
        alt="Layers of the networks, stage beside stage",
    )
    st.caption(
        f"{len(joined)} rows. Stages stand beside each other by scale; within one, layers of a kind "
        "are matched in order, and what has no match takes the place it stands in or a row of its own."
    )
    _csv(joined, chosen, "layers")


def layer_frame(chosen: Sequence[Chosen]) -> pd.DataFrame:
    """Grid, and of each network: stage, layer, kind, output, parameters, MACs; missing where it has none."""
    from explorer.analysis.comparing.alignment import align_all
    from explorer.analysis.comparing.comparison import join_layers

    rows = join_layers(
        align_all([each.sheet.hierarchy for each in chosen]), [_by_stage(each) for each in chosen]
    )
    lines = []
    for row in rows:
        line: dict[str, object] = {"grid": side_by_side.grid(row.resolution)}
        for each, stage, layer in zip(chosen, row.stages, row.layers, strict=True):
            line |= {
                f"{each.name}: stage": stage if layer else None,
                f"{each.name}: layer": layer.path if layer else None,
                f"{each.name}: kind": layer.kind if layer else None,
                f"{each.name}: output": formatting.shape(layer.output_shape) if layer else None,
                f"{each.name}: params": layer.params if layer else None,
                f"{each.name}: MACs": layer.macs if layer else None,
            }
        lines.append(line)
    return pd.DataFrame(lines).astype(
        {name: "Int64" for name in lines[0] if name.endswith(("params", "MACs"))}
    )


def _by_stage(of: Chosen) -> dict[str, list]:
    found: dict[str, list] = {}
    for layer in of.sheet.stats.layers:
        found.setdefault(of.sheet.index.of(layer.path), []).append(layer)
    return found


def _layer_columns(chosen: Sequence[Chosen]) -> dict[str, Any]:
    column = st.column_config
    found: dict[str, Any] = {"grid": column.TextColumn("Grid", pinned=True, width="small")}
    for number, each in enumerate(chosen, start=1):
        title, blank = formatting.plain(each.title), " " * number  # two columns may not have one title
        found |= {
            f"{each.name}: stage": None,
            f"{each.name}: layer": column.TextColumn(each.title, width=150),
            f"{each.name}: kind": column.TextColumn(f"Kind{blank}", help=title, width=100),
            f"{each.name}: output": column.TextColumn(f"Output{blank}", help=title, width=115),
            f"{each.name}: params": column.NumberColumn(f"Parameters{blank}", help=title, format="localized"),
            f"{each.name}: MACs": column.NumberColumn(f"MACs{blank}", help=title, format="localized"),
        }
    return found


def field(chosen: Sequence[Chosen], here: Page) -> None:
    """Effective receptive fields, of trained weights where they lie here; on wish all of random ones."""
    slots = st.columns([3.4, 2.4, 2.6, 3.4, 1.6], vertical_alignment="bottom")
    untrained = slots[0].toggle(
        "Random weights for all", key=UNTRAINED, bind="query-params",
        help="Training moves the field: trained beside random weights compares two things at once.",
    )  # fmt: skip
    ids = [
        f"random:{each.about.reference}"
        if untrained
        else _weights(str(each.about.reference), each.asked.weights)
        for each in chosen
    ]
    controls = lab.Controls(effective_field_view.Choices)
    effective_field_view.measured(
        list(dict.fromkeys(ids)), controls, slots[1], slots[2], slots[3], slots[4], here
    )


@st.cache_data(ttl=30, max_entries=64, show_spinner=False)
def _weights(reference: str, asked: str) -> str:
    """The weights asked for if they lie here, else those that do, else random ones."""
    from explorer import networks

    here = [entry.id for entry in networks.weights_of(reference) if entry.on_this_machine]
    return asked if asked in here else next(iter(here), f"random:{reference}")


def _csv(table: pd.DataFrame, chosen: Sequence[Chosen], what: str) -> None:
    names = "-".join(each.name.rpartition(":")[2].rpartition("/")[2] for each in chosen)
    st.download_button(
        "CSV",
        table.to_csv(index=False).encode(),
        file_name=f"{names}-{what}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"compare_csv_{what}",
        help="The whole table, with every digit.",
    )
