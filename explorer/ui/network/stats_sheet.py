"""The stats sheet of a network: headline numbers, and where its parameters and MACs go."""

from __future__ import annotations

from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.kit import bars, formatting, theme
from explorer.ui.kit.bars import Part
from explorer.ui.network.stages import StageIndex, title

if TYPE_CHECKING:
    from explorer.analysis import Share, Stats
    from explorer.analysis.numbers.stats import Totals
    from explorer.networks import Reference

MACS_HELP = (
    "1 MAC = one multiply and one add of a convolution, linear layer, matrix product or attention product; "
    "nothing else counts. FLOPs = 2 × MACs. Papers often print MACs and call them FLOPs."
)
_PARAMS_HELP = "All learned numbers: weights, biases, and the scales and shifts of the norms."
_ACTIVATIONS_HELP = "Output elements of every convolution, linear layer and attention product, for one image."
_DEPTH_HELP = "Convolutions and linear layers on the longest path from the input to the output."
_FIELD_HELP = (
    "Side of the patch of input pixels that one element of the last feature map can see through local "
    "operations; it may be larger than the image. “Global from” names the first operation that looks at the "
    "whole image at once."
)
_SHORT_NAME = 13  # letters that fit under a headline number
_WEIGHTS_HELP = "Parameters and running statistics at 4 bytes each, as a float32 file stores them."


def headline(sheet: Stats, index: StageIndex) -> None:
    """The row of numbers: three digits large, the exact value or its convention beneath."""
    field = sheet.receptive_field
    count, exact = formatting.count, formatting.exact
    tiles = (
        ("Parameters", count(sheet.params), exact(sheet.params), _PARAMS_HELP),
        ("MACs", count(sheet.macs), f"{count(2 * sheet.macs)} FLOPs", MACS_HELP),
        ("Activations", count(sheet.activations), exact(sheet.activations), _ACTIVATIONS_HELP),
        ("Depth", exact(sheet.depth), "weighted layers", _DEPTH_HELP),
        ("Receptive field", f"{pair(field.size)} px", _reach(sheet, index), _FIELD_HELP + _origin(sheet)),
        ("Weights", formatting.size(sheet.weight_bytes), "in float32", _WEIGHTS_HELP),
    )
    # One piece of HTML: six of Streamlit's metrics are a tenth of a second before the drawing stands.
    theme.apply("network/headline.css")
    st.html(f'<dl class="headline">{"".join(_tile(*each) for each in tiles)}</dl>')


def _tile(label: str, value: str, below: str, explanation: str) -> str:
    label, value, below, explanation = map(escape, (label, value, below, explanation))
    why = f'<span class="why" tabindex="0" role="note" aria-label="{explanation}">?</span>'
    return f'<div><dt>{label} {why}</dt><dd>{value}</dd><dd class="below">{below}</dd></div>'


def _reach(sheet: Stats, index: StageIndex) -> str:
    """Where the view becomes global: the operation if its name is short, else the stage it stands in."""
    origin = sheet.receptive_field.global_from
    if not origin:
        return f"stride {pair(sheet.receptive_field.stride)} px"
    short, how = origin.removeprefix("adaptive_"), "windows" if sheet.receptive_field.in_windows else "global"
    return f"{how} from {short if len(short) <= _SHORT_NAME else title(index.of(origin)) or 'inside'}"


def _origin(sheet: Stats) -> str:
    beyond = sheet.receptive_field.beyond
    return f" Here: {beyond}." if beyond else ""


def pair(value: tuple[float, float]) -> str:
    """`427` for a square, `427 × 219` for another."""
    height, width = (f"{each:g}" for each in value)
    return height if height == width else f"{height} × {width}"


def conventions(sheet: Stats, reference: Reference) -> str:
    """What the numbers were computed from, in one sentence, with what they leave out."""
    channels, height, width = sheet.input_size
    maker = _maker(reference)
    sentence = (
        f"Computed from one forward pass at {height} × {width} × {channels}, network from {maker}, "
        f"torch {version('torch')}. 1 MAC = one multiply and one add; FLOPs = 2 × MACs."
    )
    if sheet.deployed is not None:
        sentence += f" {deployed(sheet.deployed)}"
    if sheet.idle_params:
        sentence += f" {formatting.exact(sheet.idle_params)} parameters are idle at inference."
    if sheet.one_way:
        sentence += f" {sheet.one_way}"
    if sheet.uncounted:
        sentence += f" Not counted, for want of a rule: {', '.join(sheet.uncounted)}."
    return sentence


_OWN_MAKERS = {"explorer": "this project", "zoo": "this project", "own": "your own files"}


def _maker(reference: Reference) -> str:
    """Whose code the network is."""
    if reference.builder in _OWN_MAKERS:
        return _OWN_MAKERS[reference.builder]
    library = "torchvision" if reference.builder == "torchvision" else "timm"
    return f"{library} {version(library)}"


def deployed(form: Totals) -> str:
    """What a network that is trained in another form has once it is deployed, in two sentences."""
    count = formatting.count
    return (
        "All of this is the network as it is trained. As deployed, its branches and norms merged into the "
        f"layers beside them, it has {count(form.params)} parameters, {count(form.macs)} MACs, "
        f"{count(form.activations)} activations, {form.depth} weighted layers on the longest path and "
        f"{formatting.size(form.weight_bytes)} of weights."
    )


def shares(sheet: Stats, *, dark: bool) -> None:
    """Two pairs of bars: where parameters and MACs sit by kind of layer and by stage."""
    kinds = {
        theme.ROLE_NAMES.get(kind, kind): (share, theme.role_colour(kind, dark=dark))
        for kind, share in sheet.by_kind.items()
    }
    ramp = accent_ramp(len(sheet.by_stage), dark=dark)
    stages = {title(name): (share, ramp[i]) for i, (name, share) in enumerate(sheet.by_stage.items())}
    left, right = st.columns(2, gap="medium")
    for column, heading, parts in ((left, "By kind of layer", kinds), (right, "By stage", stages)):
        with column:
            st.markdown(f"**{heading}**  \n{_most(parts)}")
            bars.show(
                {
                    "Parameters": [
                        Part(name, share.params, colour) for name, (share, colour) in parts.items()
                    ],
                    "MACs": [Part(name, share.macs, colour) for name, (share, colour) in parts.items()],
                }
            )


def _most(parts: dict[str, tuple[Share, str]]) -> str:
    """The sentence a glance should give: who holds the parameters, who does the work."""
    holder = max(parts, key=lambda name: parts[name][0].params, default="")
    worker = max(parts, key=lambda name: parts[name][0].macs, default="")
    if not holder:
        return "Nothing here is learned or multiplied."
    share = formatting.share
    held, done = share(parts[holder][0].params_share, 1), share(parts[worker][0].macs_share, 1)
    if holder == worker:
        return f"{holder}: {held} of the parameters and {done} of the MACs."
    return f"{holder}: {held} of the parameters. {worker}: {done} of the MACs."


def accent_ramp(length: int, *, dark: bool) -> list[str]:
    """Shades of the accent from pale to full, for things in an order."""
    accent, ground = (_channels(colour.on(dark=dark)) for colour in (theme.ACCENT, theme.BACKGROUND))
    strengths = [0.28 + 0.72 * step / max(1, length - 1) for step in range(length)]
    return [
        "#" + "".join(f"{round(g + (a - g) * strength):02X}" for a, g in zip(accent, ground, strict=True))
        for strength in strengths
    ]


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.lstrip("#")))
