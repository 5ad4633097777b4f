"""The receptive field page: what its views share, growth by layer, and one unit's field on the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.effective_field import measuring
from explorer.ui.effective_field import view as effective_field_view
from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, formatting, lab, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.lab import Controls
from explorer.ui.network import choices as architecture_choices
from explorer.ui.network import sheet as architecture_view
from explorer.ui.network.sheet import Sheet, Subject
from explorer.ui.picture.current import Picture, credit
from explorer.ui.picture.parts import data_url
from explorer.ui.receptive_field.stack import STACK, WIDTHS

if TYPE_CHECKING:
    from explorer.analysis import Trace
    from explorer.labs.receptive_field.theory import LayerField

LAYER = "rflayer"
GROWTH, PICTURE, EFFECTIVE, BUILDER = "Growth", "Picture", "Effective", "Stack"
_GLOW = (
    "How strongly each pixel moves this unit: the gradient over a few inputs of noise, through "
    "trained weights where this machine has them."
)


@dataclass(frozen=True)
class Choices(effective_field_view.Choices):
    view: str = lab.words("rf", "View", (GROWTH, PICTURE, EFFECTIVE, BUILDER), named=False)
    size: int | None = lab.elsewhere(state.SIZE, None)
    layer: str = lab.hidden(LAYER)
    down: int = lab.slider("rfdown", "Unit, down (%)", 0, 100, 50)
    across: int = lab.slider("rfacross", "Unit, across (%)", 0, 100, 50)
    glow: bool = lab.toggle("rfglow", "Effective field", help=_GLOW)
    networks: str = lab.hidden(effective_field_view.NETWORKS)
    stack: str = lab.hidden(STACK)
    channels: int = lab.steps("rfchannels", "Channels C", WIDTHS, 64)


_GLOW_PASSES = 6  # inputs behind the strength shown on the picture: it moves with the sliders
_HEIGHT = 420


@st.cache_resource(max_entries=48, show_spinner=False)
def _layers(key: tuple[str, ...], _trace: Trace) -> tuple[LayerField, ...]:
    from explorer.labs.receptive_field.theory import layer_fields

    return layer_fields(_trace)


def layers(sheet: Sheet) -> tuple[LayerField, ...]:
    """Kept for all visitors by what the sheet stands for."""
    return _layers(sheet.key, sheet.trace)


def traced(here: Page, size_slot: Any) -> tuple[Subject, Sheet] | None:
    """The network of the URL at the chosen size; None after a sentence where there is nothing to trace."""
    subject = architecture_view.subject(here)
    if subject.reference is None:
        st.info(
            f"{formatting.plain(subject.title)} came before networks: it has no layers to trace. "
            "Choose a network above.",
            icon=":material/info:",
        )
        return None
    with size_slot:
        size = architecture_choices.image_size(architecture_view.own_size(subject.reference))
    sheet = architecture_view.load(subject, size)
    return None if sheet is None else (subject, sheet)


def growth(subject: Subject, sheet: Sheet, here: Page) -> None:
    """Size and jump by layer, where the whole image is seen, and the table."""
    from explorer.labs.receptive_field import theory as fields
    from explorer.ui.receptive_field import figures

    found = layers(sheet)
    image = _image(sheet)
    local = fields.local(found)
    st.markdown(_growth_headline(subject, found, image))
    marks = {
        "middle unit sees all": fields.whole_image_at(found, image),
        "every unit sees all": fields.every_unit_at(found, image),
        _way(found): fields.global_at(found),
    }
    # After the last pooling no layer has a place on the curve: the mark then stands at its end.
    placed = {name: layer for name, layer in marks.items() if layer is not None}
    made = figures.growth(local, image, placed, dark=here.dark, narrow=here.window.phone)
    show_figure(made, here, "rf_growth", _tall(here))
    explain.look_for(
        "The field widens by (kernel − 1) × jump, so the same 3×3 adds twice as much after each stride: find "
        "the bends. Then compare where the curve crosses the image with where a gate, attention or the last "
        "pooling makes every unit depend on all of it at once (hollow points)."
    )


def _growth_headline(subject: Subject, found: tuple[LayerField, ...], image: tuple[int, int]) -> str:
    from explorer.labs.receptive_field import theory as fields

    last = fields.local(found)[-1]
    whole, reached = fields.whole_image_at(found, image), fields.global_at(found)
    title = formatting.plain(subject.title.split(" · ")[0])
    text = (
        f"**{title}** at {image[0]} × {image[1]} pixels: a unit of the last map sees **{_side(last)} px**, "
        f"{formatting.three_digits(last.size / max(image))} times the image's side, and neighbours are "
        f"{last.jump:g} px apart. "
    )
    if whole:
        text += (
            f"Its middle unit sees the whole image **by layer {whole.number}** of {last.number}, "
            f"{_named(whole)}. "
        )
    else:
        text += "By its kernels alone no unit ever sees the whole image. "
    if reached and reached.field.in_windows:
        text += (
            f"From {_named(reached)} on (layer {reached.number}), attention also mixes the positions of each "
            "window, and by shifted windows more of the image block by block; the sizes here leave that out."
        )
    elif reached:
        text += f"From {_named(reached)} on (layer {reached.number}), units depend on all of it at once."
    return text


def _way(found: tuple[LayerField, ...]) -> str:
    """What first makes a unit depend on the whole image, in words."""
    from explorer.labs.receptive_field import theory as fields

    first = fields.global_at(found)
    if first is None:
        return ""
    if first.field.in_windows:
        return "mixed in windows: attention"
    if first.kind == "pool" and fields.local(found)[-1].number > first.number:
        return "global: a gate's pooling"
    return f"global: {theme.ROLE_NAMES.get(first.kind, first.kind).lower()}"


def table(sheet: Sheet) -> None:
    """Every layer with its window, field, stride and jump, exact."""

    def rows() -> None:
        layer_rows = [
            {
                "layer": layer.number,
                "name": layer.label,
                "kind": layer.kind,
                "kernel": " × ".join(map(str, layer.kernel)),
                "dilation": layer.dilation[0],
                "stride": layer.stride[0],
                "field height (px)": layer.field.size[0],
                "field width (px)": layer.field.size[1],
                "jump (px)": layer.jump,
                "padding (px)": layer.field.padding[0],
                "map": formatting.shape(layer.output_shape),
                "has a place": layer.field.local,
                "besides": layer.field.beyond,
            }
            for layer in layers(sheet)
        ]
        st.dataframe(pd.DataFrame(layer_rows), hide_index=True, height=360, width="stretch")
        st.caption(
            "Computed here off the network's trace. Where a layer has no place of its own any more (inside a "
            "gate, after the last pooling) its size is the extent of all places together."
        )

    explain.folded("Table by layer", rows, key="rf_table", icon=":material/table:")


def picture(subject: Subject, sheet: Sheet, shown: Picture, controls: Controls[Choices], here: Page) -> None:
    """One unit of a chosen layer: what it sees of the visitor's picture."""
    from explorer.labs.receptive_field import theory as fields
    from explorer.ui.receptive_field import figures

    local = {layer.label: layer for layer in fields.local(layers(sheet))}
    left, right = st.columns([4, 8], gap="medium")
    with left:
        layer = _layer_slider(local)
        down, across, glow = (controls.draw(name) for name in ("down", "across", "glow"))
        unit = fields.unit_at(layer.field, down / 100, across / 100)
        st.markdown(_unit_text(layer, unit, _image(sheet)))
    with right:
        strength = _strength(subject, sheet, layer, unit, left) if glow else None
        box = fields.box(layer.field, unit)
        url = _crop_url(subject, sheet, shown)
        made = figures.on_picture(url, _image(sheet), box, strength, dark=here.dark)
        show_figure(made, here, "rf_picture", _tall(here) + 20)
        st.caption(credit(shown))
    explain.look_for(
        "Drag the layer: the square grows faster after each stride, and soon sticks out of the picture, "
        "where the unit reads padding. Move the unit to a corner and see how much of its field is empty."
    )


def _layer_slider(local: Mapping[str, LayerField]) -> LayerField:
    """The layer of the link; without one the deepest that still fits into the picture twice or so."""
    labels = list(local)
    box = "rf_layer_slider"
    st.session_state[box] = state.one_of(LAYER, local) or labels[len(labels) // 2]
    if len(labels) > 1:  # a slider needs two ends
        st.select_slider(
            "Layer",
            labels,
            key=box,
            on_change=lambda: st.session_state.update({LAYER: st.session_state[box]}),
            help="Convolutions, poolings and attention in the order of execution.",
        )
    return local[st.session_state[box]]


def _unit_text(layer: LayerField, unit: tuple[int, int], image: tuple[int, int]) -> str:
    from explorer.labs.receptive_field import theory as fields

    rows, columns = layer.field.positions
    share = fields.seen_share(layer.field, image, unit)
    outside = fields.outside_share(layer.field, image, unit)
    after = layer.field.global_from
    text = (
        f"Unit ({unit[0]}, {unit[1]}) of {rows} × {columns} sees **{_side(layer)} px**: "
        f"**{formatting.share(share, 1)}** of the picture; {formatting.share(outside, 1)} of its field is "
        f"padding."
    )
    if after:
        more = "the windows around it" if layer.field.in_windows else "all the rest"
        text += f" Through `{after.replace('`', '')}` it also depends on {more}."
    return text


def _strength(
    subject: Subject, sheet: Sheet, layer: LayerField, unit: tuple[int, int], left: DeltaGenerator
) -> Any:
    """[H, W], 0-1; None after a sentence why there is none."""
    assert subject.reference is not None
    identifier = measuring.weights_with(layer.path, subject.reference)
    wanted = measuring.Wanted(identifier, _image(sheet)[0], "Noise", layer.path, unit)
    try:
        found = measuring.complete([wanted], _GLOW_PASSES, left, left).get(wanted)
    except (ValueError, RuntimeError) as refused:
        st.info(formatting.plain(str(refused)), icon=":material/info:")
        return None
    if found is None:  # stopped before the first input was through
        return None
    left.caption(
        f"Root mean square gradient over {found.passes} inputs of noise, "
        f"{measuring.named(wanted.weights_id)}: "
        f"{formatting.three_digits(measuring.width(found))} px wide."
    )
    return found.strength


def _crop_url(subject: Subject, sheet: Sheet, shown: Picture) -> str:
    """The part of the picture that the network sees, at the picture's own resolution."""
    from PIL import Image

    from explorer import networks
    from explorer.inference.preprocessing import prepare

    assert subject.reference is not None
    spec = networks.input_spec(subject.reference).at(_image(sheet)[0])
    return data_url(Image.fromarray(prepare(shown.image, spec).display), lossless=False)


def _image(sheet: Sheet) -> tuple[int, int]:
    height, width = sheet.trace.input_shape[-2:]
    return height, width


def _tall(here: Page) -> int:
    """Pixels; more for a projector, whose type is larger too."""
    return _HEIGHT + 90 * here.presenting


def _side(layer: LayerField) -> str:
    height, width = layer.field.size
    return f"{height:g}" if height == width else f"{height:g} × {width:g}"


def _named(layer: LayerField) -> str:
    return f"`{layer.label.replace('`', '')}`"


def formula(view: str) -> None:
    """The functions behind the view's numbers."""
    from explorer.labs.receptive_field import effective, window_stack
    from explorer.labs.receptive_field import theory as fields

    shown: Mapping[str, tuple[Callable[..., Any], ...]] = {
        GROWTH: (window_stack.field_size, fields.whole_image_at),
        PICTURE: (fields.box, fields.seen_share),
        EFFECTIVE: (
            effective.gradient_energy,
            effective.relative_strength,
            effective.effective_width,
        ),
        BUILDER: (window_stack.field_size, window_stack.weights, window_stack.read_places),
    }
    explain.code(*shown[view])
