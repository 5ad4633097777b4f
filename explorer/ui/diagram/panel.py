"""The side panel of the block diagram: everything about the node the visitor chose."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.ui.diagram import choices, node_facts
from explorer.ui.frame import links, presentation
from explorer.ui.kit import formatting, theme
from explorer.ui.kit.formatting import plain
from explorer.ui.picture import weights

if TYPE_CHECKING:
    from explorer.analysis.numbers.formulas import Formula
    from explorer.analysis.structure.hierarchy import Hierarchy, Node
    from explorer.networks import Reference, WeightsEntry

_BINS = 48
_WITH_PICTURES = 4  # axes of an output that has feature maps


def text(hierarchy: Hierarchy, node: Node) -> None:
    """Name, the layer's arithmetic, its numbers: drawn before all else, the answer to a click."""
    st.html(_text(hierarchy, node))


def more(hierarchy: Hierarchy, node: Node, reference: Reference, arch: str, *, dark: bool) -> None:
    """What has to be looked up: the file of its class, its weights."""
    _links(hierarchy, node, arch)
    source, histogram = st.empty(), st.empty()
    if node.path and (where := _sources(reference).get(node.path)):
        source.caption(where)
    if names := _parameters(hierarchy, node):
        with histogram.container():
            _weights(reference, names[0], dark=dark)


def _text(hierarchy: Hierarchy, node: Node) -> str:
    """Names of layers come from strangers: all is escaped."""
    formulas = "".join(_formula(each) for each in _formulas(hierarchy, node))
    rows = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(amount)}</dd></div>"
        for what, amount in node_facts.facts(hierarchy, node).rows
    )
    title = escape(node_facts.title_of(node))
    head = f'<div class="node-panel" data-node="{escape(node.id)}"><h2>{title}</h2>'
    return f"{head}{formulas}<dl>{rows}</dl></div>"


def _formulas(hierarchy: Hierarchy, node: Node) -> list[Formula]:
    """Of the operations of a leaf; a box's would be a list of theirs."""
    from explorer.analysis.numbers.formulas import formula

    if not node.leaf:
        return []
    return [each for op in node.ops for each in formula(hierarchy.ops[op], hierarchy.fields)]


def _formula(each: Formula) -> str:
    return (
        f"<p><b>{escape(each.what)}</b> = {escape(each.symbols)}<br>"
        f"<span>= {escape(each.numbers)} = <b>{formatting.exact(each.value)}</b></span></p>"
    )


def _links(hierarchy: Hierarchy, node: Node, arch: str) -> None:
    if node.children:
        inside, toggle = st.columns(2)
        view = choices.view(hierarchy)
        deed, name, icon = (
            ("close", "Collapse", ":material/unfold_less:")
            if node.id in view.open
            else ("open", "Expand", ":material/unfold_more:")
        )
        toggle.button(name, icon=icon, width="stretch", on_click=choices.act, args=(hierarchy, deed, node.id))
        inside.button(
            "Go inside",
            icon=":material/login:",
            width="stretch",
            on_click=choices.act,
            args=(hierarchy, "focus", node.id),
        )
    if node.path and len(node_facts.output_shape(hierarchy, node)) == _WITH_PICTURES:
        address = links.address("inference", arch=arch, layer=node.path)
        links.button(address, "Feature maps and heatmap here", "node_to_inference", ":material/image_search:")


@st.cache_resource(max_entries=64, show_spinner=False)
def _sources(reference: Reference) -> dict[str, str]:
    from explorer.networks.class_sources import class_sources

    try:
        return {
            path: f"`{each.name}` in `{each.file}:{each.line}`"
            for path, each in class_sources(reference).items()
        }
    except ValueError:
        return {}


def _parameters(hierarchy: Hierarchy, node: Node) -> list[str]:
    """Names of the parameters that a single layer multiplies by."""
    if not node.leaf:
        return []
    used = [operand for each in node.ops for operand in hierarchy.ops[each].operands if operand.is_parameter]
    return [operand.source.removeprefix("param:") for operand in used if len(operand.shape) > 1]


@st.cache_data(max_entries=256, show_spinner=False)
def _histogram(weights_id: str, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Counts and edges of one parameter of a loaded network; None where it has no parameter of that name."""
    from explorer.inference.weight_histograms import weight_histograms
    from explorer.serving import pool

    layer, _, parameter = name.rpartition(".")
    with pool.shared().lease(weights_id) as network:
        made = weight_histograms(network.model, layer, _BINS)
    return next(((each.counts, each.edges) for each in made if each.parameter == parameter), None)


def own_weights(reference: Reference) -> WeightsEntry | None:
    """Trained weights of this very network on this machine."""
    here = weights.trained_here(reference)
    return next((each for each in here if str(each.reference) == str(reference)), None)


def _weights(reference: Reference, name: str, *, dark: bool) -> None:
    """The histogram of trained weights on this machine; without any, where they would come from."""
    entry = own_weights(reference)
    if entry is None:
        st.caption("Histogram of its weights: once trained weights are on this machine (tab Weights).")
        return
    try:
        made = _histogram(entry.id, name)
    except (RuntimeError, ValueError) as unavailable:
        st.caption(plain(str(unavailable)))
        return
    if made is None:
        return
    counts, edges = made
    from explorer.ui.kit.graph_objects import go

    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=np.diff(edges),
            marker={"color": theme.ACCENT.on(dark=dark), "line": {"width": 0}},
            hovertemplate="about %{x:.3g}: %{y:,} weights<extra></extra>",
        )
    )
    figure.update_layout(
        height=150, margin={"l": 0, "r": 0, "t": 4, "b": 0}, bargap=0, xaxis_title="value of a weight"
    )
    figure.update_yaxes(showticklabels=False, showgrid=False)
    st.caption(f"Histogram of its weights, {plain(entry.label)}")  # too long for the title of the axis
    figure = theme.style(figure, dark=dark, rem=presentation.window().rem)
    st.plotly_chart(figure, theme=None, config={"displayModeBar": False}, key="weights_histogram")
