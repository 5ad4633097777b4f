"""The efficiency page: the chart, what was selected in it, the frontier as a table, the sources."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.analysis.choosing.candidates import Candidate, PublishedBy
from explorer.analysis.choosing.filters import Narrowing, SearchError, narrowed
from explorer.analysis.choosing.pareto import frontier
from explorer.analysis.choosing.story import story
from explorer.catalogue.printed_tables import PrintedTable, printed_tables
from explorer.catalogue.published_tables import PROJECT_PAGE
from explorer.ui.efficiency import component, controls
from explorer.ui.efficiency.controls import Choices
from explorer.ui.efficiency.figures import Axes, Shown, names, recipes, scatter
from explorer.ui.frame import links
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import plain
from explorer.ui.network import candidates as efficiency_data
from explorer.ui.network import several as compare_networks
from explorer.ui.network.candidates import ALL_MEASURES, MEASURED, Data

_CHART, FILES, _WHY_NOT = "echart", "efiles", "_no_newer_tables"
_HEIGHT = 400
_OF_PUBLISHER: Mapping[PublishedBy, str] = MappingProxyType(
    {"timm": "of timm's tables", "torchvision": "of torchvision", "paper": "printed in papers"}
)


def show(data: Data, choices: Choices, here: Page, first: DeltaGenerator) -> None:
    """What the choices ask for. first: where the chart of everything goes."""
    if choices.table:
        _printed_table(printed_tables()[choices.table], data, here)
    else:
        _everything(data, choices, here, first)


def _everything(data: Data, choices: Choices, here: Page, first: DeltaGenerator) -> None:
    axes = choices.axes.of_the_form_timed()
    try:
        places = narrowed(data.candidates, choices.narrowing)
    except SearchError as error:
        st.warning(plain(str(error)), icon=":material/search_off:")
        places = narrowed(data.candidates, choices.narrowing.without_words())
    shown, hidden = points(data, places, axes)
    if not shown.candidates:
        st.info(
            "Nothing passes these filters with both values known. Reset brings all of it back.",
            icon=":material/filter_alt_off:",
        )
        return
    theme.apply("efficiency/page.css")
    with first:
        _chart(shown, axes, here)
    _under_the_chart(data, shown, axes, left_out(data, places, choices.narrowing, hidden))
    _selected(data)
    explain.look_for(
        "The networks of the story stand in their families' colours: how far is each above the ones before "
        "it, at what cost? The dotted line joins what nothing else beats in both at once; of every other dot "
        "the hover names one that beats it. Join the weights of one network: how far does a recipe alone go?"
    )
    on = sorted(np.flatnonzero(shown.frontier.on).tolist(), key=lambda place: float(shown.x[place]))
    unbeaten = [shown.candidates[place] for place in on]
    explain.folded(
        f"The frontier as a table ({len(on)})",
        lambda: _table(unbeaten, "efrontier"),
        key=f"frontier_of_{len(on)}",
        icon=":material/table:",
    )
    explain.code(frontier)


def points(data: Data, places: Sequence[int], axes: Axes) -> tuple[Shown, int]:
    """Those with both values, and how many lack one."""
    x, y = data.column(axes.x, places), data.column(axes.y, places)
    known = np.isfinite(x) & np.isfinite(y)
    known &= ~((axes.x_log & (x <= 0)) | (axes.y_log & (y <= 0)))  # zero has no place on such an axis
    kept = [place for place, complete in zip(places, known, strict=True) if complete]
    better = (ALL_MEASURES[axes.x].better, ALL_MEASURES[axes.y].better)
    shown = Shown(
        [data.candidates[place] for place in kept],
        x[known],
        y[known],
        data.column(axes.bubble, kept),
        frontier(x[known], y[known], better),
        story([data.candidates[place] for place in kept]),
    )
    return shown, len(places) - len(kept)


def _chart(shown: Shown, axes: Axes, here: Page) -> None:
    if not here.window.known:
        st.skeleton(height=_HEIGHT)
        return
    recipe = st.session_state.get(controls.RECIPE) or ""
    labels = names(shown, axes, here.window.rem)
    made = scatter(shown, axes, controls.marked(), recipe, labels, dark=here.dark)
    component.draw(made, key=_CHART, on_dots=_take_selection)


def _take_selection() -> None:
    """Of more than can be selected the story's networks come first: they are drawn last."""
    if ids := st.session_state[_CHART].dots:
        controls.mark(ids)


def left_out(data: Data, places: Sequence[int], wanted: Narrowing, hidden: int) -> str:
    """How many are not drawn and why, as a sentence; "" where all are. hidden: with a value missing."""
    drawn = set(places)
    why = Counter(_why_left_out(each, wanted) for n, each in enumerate(data.candidates) if n not in drawn)
    if hidden:
        why["without one of the two values"] = hidden
    told = ", ".join(f"{number:,} {reason}" for reason, number in why.items())
    return f"Left out: {told}. " if told else ""


def _why_left_out(each: Candidate, wanted: Narrowing) -> str:
    if each.for_tests and not wanted.for_tests:
        return "of timm's test networks"
    if wanted.published_by and each.published_by not in wanted.published_by:
        return _OF_PUBLISHER[each.published_by]
    return "by the filters"


def _under_the_chart(data: Data, shown: Shown, axes: Axes, lacking: str) -> None:
    left, middle, right = st.columns([6, 3.4, 1.6], vertical_alignment="center")
    here = MEASURED.keys() & {axes.x, axes.y, axes.bubble}
    on = f"Measured here: on {plain(data.measured_on)}, float32. " if here and data.measured_on else ""
    several = sorted(recipes(shown.candidates), key=str.lower)
    chosen = st.session_state.get(controls.RECIPE) or ""
    if chosen not in ("", *several) and any(each.network == chosen for each in shown.candidates):
        lacking += f"No two of the weights of {plain(chosen)} were tested alike, so none are joined. "
    left.caption(
        f"{len(shown.candidates):,} sets of weights. {lacking}{on}Click dots, or draw a box, to compare."
    )
    st.session_state["erecipe_box"] = chosen if chosen in several else ""
    middle.selectbox(
        "Join the weights of",
        ["", *several],
        key="erecipe_box",
        format_func=lambda name: (
            f"Recipes of {name.partition(':')[2] or name}" if name else "Join the recipes of ..."
        ),
        label_visibility="collapsed",
        on_change=lambda: st.session_state.update({controls.RECIPE: st.session_state["erecipe_box"]}),
    )
    right.download_button(
        "CSV",
        lambda: frame(shown.candidates).to_csv(index=False),  # written when it is asked for
        "efficiency.csv",
        "text/csv",
        icon=":material/download:",
        width="stretch",
    )


def frame(candidates: Sequence[Candidate]) -> pd.DataFrame:
    """All that is known of each, a missing value empty; units in the titles."""
    titles = {
        name: f"{each.title} [{each.unit}]" if each.unit else each.title
        for name, each in ALL_MEASURES.items()
    }
    known = [name for name in ALL_MEASURES if any(name in each.values for each in candidates)]
    return pd.DataFrame(
        [
            {
                "Weights": each.name,
                "Network": each.reference,
                "Published by": each.published_by,
                "Protocol": each.protocol,
                "Family": each.family,
                "Year": each.year,
                "Image size [px]": each.image_size,
                "Trained on": each.training_data,
                "Licence": each.licence,
                **{titles[name]: each.value(name) for name in known},
            }
            for each in candidates
        ]
    )


def _selected(data: Data) -> None:
    by_id = {each.id: each for each in data.candidates}
    ids = controls.marked()
    chosen = [by_id[each] for each in ids if each in by_id]
    if lost := [each for each in ids if each not in by_id]:
        st.caption(f"Not among what is known here: {plain(', '.join(each[:80] for each in lost[:5]))}.")
    if not chosen:
        return
    title, compare, clear = st.columns([6, 2, 2], vertical_alignment="center")
    title.header(f"Selected ({len(chosen)})", anchor=False)
    with compare:
        links.button(
            links.address("compare", networks=",".join(each.compared for each in chosen)),
            "Compare networks",
            "compare_selected",
            ":material/compare_arrows:",
            type="secondary",
            disabled=not 2 <= len(chosen) <= compare_networks.MOST,
            help="These weights at these sizes, side by side on the Compare page.",
            width="stretch",
        )
    clear.button(
        "Clear",
        icon=":material/close:",
        on_click=lambda: st.session_state.update({controls.MARKED: ""}),
        width="stretch",
    )
    if len(chosen) == 1:
        st.caption("Select a second one to compare them.")
    elif len(chosen) > compare_networks.MOST:
        few = compare_networks.MOST
        st.caption(
            f"Compare networks takes up to {few}; {len(chosen)} are selected. Click dots to take some away."
        )
    _table(chosen, "eselected")


def _table(candidates: Sequence[Candidate], key: str) -> None:
    rows = frame(candidates)
    rows.insert(1, "Open", [links.architecture_address(each.arch, each.image_size) for each in candidates])
    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        width="stretch",
        column_config={
            "Open": st.column_config.LinkColumn("Page", display_text="Architecture"),
            "Year": st.column_config.NumberColumn(format="%d"),
            **{
                f"{each.title} [{each.unit}]" if each.unit else each.title: st.column_config.NumberColumn(
                    format="compact" if each.log else "%.2f"
                )
                for each in ALL_MEASURES.values()
            },
        },
    )


def _printed_table(table: PrintedTable, data: Data, here: Page) -> None:
    from explorer.ui.efficiency.printed import printed  # Plotly: the chart of everything does without it

    by_id = {each.id: each for each in data.candidates}
    ours = [by_id.get(row.like) for row in table.rows]
    made = printed(table, ours, dark=here.dark)
    show_figure(made, here, "eprinted", _HEIGHT)
    st.caption(f"As printed in {plain(table.source)}. {plain(table.note)}")
    explain.look_for(
        "A thin line joins each printed figure to what is counted and published here: the longer, the more "
        "they differ. One that goes straight up is another recipe or protocol, not another network."
    )
    st.dataframe(_beside(table, ours), key="eprinted_table", hide_index=True, width="stretch")


def _beside(table: PrintedTable, ours: Sequence[Candidate | None]) -> pd.DataFrame:
    """Each printed figure with its counterpart; a missing one empty."""
    from explorer.ui.efficiency.printed import compared

    scale = {"params": (1e6, "Params [M]"), "macs": (1e9, "MACs [G]"), "top1": (1, "Top-1 [%]")}
    rows = []
    for row, found in zip(table.rows, ours, strict=True):
        cells: dict[str, object] = {"Network": row.name}
        for name in dict.fromkeys(name for each in table.rows for name in each.values):
            unit, title = scale.get(name, (1, "Speed [images/s]"))
            printed_value = row.values.get(name)
            own = found.values.get(compared(name)) if found else None
            cells[f"{title}, printed"] = None if printed_value is None else printed_value / unit
            told = (
                "RTX 3090" if name == "printed throughput" else "published" if name == "top1" else "counted"
            )
            cells[f"{title}, {told}"] = None if own is None else round(own / unit, 3)
        cells["Set against"] = row.like if found else f"{row.like} (not on this machine)"
        rows.append(cells)
    return pd.DataFrame(rows)


def _newer() -> None:
    """A button that fetches timm's tables as they stand today; the ones in use stay where that fails."""

    def fetch() -> None:
        st.session_state[_WHY_NOT] = efficiency_data.fetch_newer()

    st.button(
        "Fetch today's tables from timm's project page (1 MB)",
        icon=":material/download:",
        key="enewer",
        on_click=fetch,
    )
    if why := st.session_state.get(_WHY_NOT):
        st.warning(f"{plain(why)}. The tables used so far stay.", icon=":material/cloud_off:")


def from_files(files: Sequence[UploadedFile]) -> Data:
    """The visitor's own tables, for this visit alone; where nothing in them can be used, those of before with
    the reasons.
    """
    given = efficiency_data.uploaded({Path(each.name).name: each.getvalue() for each in files})
    return given if given.rows else replace(efficiency_data.here(), remarks=given.remarks)


def about_files(given: Data | None) -> None:
    """What was odd about the visitor's files, in sight; nothing where there are none."""
    if given is not None and given.remarks:
        st.warning("  \n".join(plain(remark) for remark in given.remarks), icon=":material/table:")


def sources(data: Data) -> None:
    """Folded away at the end of the page."""
    from explorer.catalogue.counts import counts

    how = "taken over into this app" if data.shipped else "fetched"
    day = f"{how} on {data.read_on.day} {data.read_on:%B %Y}" if data.read_on else "from files laid down here"
    with st.expander("Where the figures come from", key="esources", icon=":material/info:"):
        st.markdown(
            f"- Accuracy, robustness and throughput: {data.rows:,} rows of "
            f"[timm's published tables]({PROJECT_PAGE}), {day if data.rows else 'which are not here'}; the "
            "weights that the installed torchvision lists; papers, each named on hover.\n"
            f"- Parameters, MACs, activations: {plain(counts().counted_with)}, on the network itself at the "
            "image size of the row. 1 MAC is one multiplication with its addition, FLOPs = 2 × MACs; costs "
            "are of one crop. Networks that merge their branches and norms before they are deployed (RepVGG, "
            "MobileOne, FastViT, LeViT) are counted in both forms. timm's table of the RTX 5090 timed the "
            "deployed form, and counts beside that speed are of it; its other tables and what is measured "
            "here timed the form that is trained.\n"
            "- Family and year: of the catalogue, else of the paper that timm cites for the network. "
            "Trained on: by the tag in the name of the weights.\n"
            "- Latency, throughput and memory here: of the page Measure here, with random weights"
            f"{f', on {plain(data.measured_on)}' if data.measured_on else ''}."
        )
        for remark in data.remarks:
            st.caption(plain(remark))
        if not os.environ.get("EXPLORER_TABLES"):
            _newer()
        st.file_uploader(
            "Read timm's tables from files of your own",
            type="csv",
            accept_multiple_files=True,
            key=FILES,
            help="results-imagenet.csv and its neighbours, by their names; read for this visit alone.",
        )
