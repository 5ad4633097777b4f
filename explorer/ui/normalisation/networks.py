"""The views of the Normalisation page that look into a loaded network, or at the trace of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import exact, plain, time_left
from explorer.ui.kit.lab import Controls
from explorer.ui.normalisation import controls
from explorer.ui.normalisation.controls import LAYER, Choices
from explorer.ui.picture import weights

if TYPE_CHECKING:
    from PIL import Image

    from explorer.labs.normalisation.forgotten_eval import Drift
    from explorer.labs.normalisation.networks import Inside
    from explorer.labs.normalisation.places import Block
    from explorer.ui.picture.current import Picture

# Name on the axis -> network; one for each way to place a norm, and the visitor's own above them.
_PLACES: Mapping[str, str] = {
    "VGG-16": "torchvision:vgg16",
    "VGG-16 with BN": "torchvision:vgg16_bn",
    "ResNet-50": "torchvision:resnet50",
    "ResNet-50, pre-activation": "timm:resnetv2_50",
    "DenseNet-121": "torchvision:densenet121",
    "MobileNet V2": "torchvision:mobilenet_v2",
    "EfficientNet-B0": "torchvision:efficientnet_b0",
    "ViT-B/16": "torchvision:vit_b_16",
    "Swin-T": "torchvision:swin_t",
    "Swin V2-T": "timm:swinv2_tiny_window8_256",
    "ConvNeXt-T": "torchvision:convnext_tiny",
    "ConvNeXt V2-T": "timm:convnextv2_tiny",
}
_TRACED = "_norm_traced"
_A_TRACE = 2.0  # seconds, of a network of this size on two cores


def train_or_eval(choose: Controls[Choices], here: Page) -> None:
    """The same picture, the same network, other company."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import forgotten_eval
    from explorer.ui.normalisation import network_figures as figures

    row = st.columns([3, 4, 3, 3], vertical_alignment="bottom")
    picture = weights.picture(row[0])
    weights_id = weights.weights(row[1], here)
    size = choose.draw("company", row[2])
    dropout = choose.draw("dropout", row[3])
    found = controls.ask(
        weights_id,
        ("drift", picture.digest, size, dropout),
        lambda network: forgotten_eval.drift(
            network, picture.image, _companies(picture, size), dropout=dropout
        ),
    )
    show_figure(figures.drift(found, dark=here.dark), here, "norm_drift", height=390)
    st.markdown(_verdict(found))
    explain.look_for(
        "The picture and the weights never change, only who else is in the batch. In training mode each "
        "batch norm uses the batch's own mean and deviation, so the company moves the answer; and the "
        "last bar shows that the passes have overwritten the running statistics, so that even `eval()` "
        "answers differently from then on."
    )
    explain.code(forgotten_eval.drift)
    with st.expander("What exactly is done", icon=":material/menu_book:"):
        st.markdown(
            "On a copy of the network: one pass in evaluation mode; then for each company a batch of the "
            "picture and random cut-outs of one sample, in training mode; then evaluation mode once more. "
            "The loaded network keeps its mode and its statistics. Passes with the same batch give the "
            "same answer: nothing here is random unless dropout is on. A batch of one picture works too, "
            "as each channel still has H × W values; PyTorch refuses only where one value is left ([Ioffe "
            "and Szegedy 2015](https://arxiv.org/abs/1502.03167), section 3.1)."
        )


def _companies(picture: Picture, size: int) -> Mapping[str, Sequence[Image.Image]]:
    from explorer.labs.normalisation.forgotten_eval import cut_outs

    own = picture.sample.title if picture.sample else ""
    others = {title: image for title, image in controls.samples().items() if title != own}
    with_others = {f"with {title}": cut_outs(image, size - 1) for title, image in others.items()}
    return {"alone": (), "with crops of itself": cut_outs(picture.image, size - 1), **with_others}


def _verdict(found: Drift) -> str:
    trained = [reply for reply in found.replies if reply.mode == "train" and not reply.refused]
    wrong = sum(reply.label != found.expected for reply in trained)
    low, high = (pick((100 * reply.expected for reply in trained), default=0.0) for pick in (min, max))
    name = plain(found.expected)
    if not found.layers:
        said = "This network has no batch norm, so training mode and company change nothing of its answer"
        return f"**{said}{' unless dropout is on' if found.random else ''}.** Computed here.{_random(found)}"
    text = (
        f"**In training mode {wrong} of {len(trained)} batches get another answer than “{name}”**, whose "
        f"probability lies between {low:.1f} and {high:.1f} %. {found.layers} batch norms; computed here."
        + _random(found)
    )
    if found.melted == found.layers:
        text += (
            " All of them have running mean 0 and variance 1: they were folded into the convolutions "
            "before these weights were published (or never trained). Training mode normalises what was "
            "meant to pass."
        )
    return text


def _random(found: Drift) -> str:
    kinds = ", ".join(f"{count} × {kind}" for kind, count in found.random.items())
    return f" Draws at random in training mode: {kinds}." if kinds else ""


def in_a_network(choose: Controls[Choices], here: Page) -> None:
    """One norm layer at the visitor's picture, channel by channel."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import networks
    from explorer.ui.normalisation import network_figures as figures

    row = st.columns([3, 3, 3, 4], vertical_alignment="bottom")
    picture = weights.picture(row[0])
    weights_id = weights.weights(row[1], here)
    layers = controls.norm_layers(weights_id)
    if not layers:
        st.info("This network has no norm layer; choose another.", icon=":material/info:")
        return
    path = state.one_of(LAYER, layers) or next(iter(layers))
    options = {each: f"{each} · {kind}" for each, kind in layers.items()}
    controls.menu(row[2], "Layer", LAYER, options, path)
    found = controls.ask(
        weights_id,
        ("inside", path, picture.digest),
        lambda network: networks.inside(network, picture.image, path),
    )
    channel = choose.draw("map_channel", row[3], max_value=len(found.before)) - 1
    show_figure(figures.inside(found, channel, dark=here.dark), here, "norm_inside", height=370)
    st.markdown(_numbers_of(found, channel))
    explain.look_for(
        "Batch norm takes its mean and deviation from training, so on one picture the middle column is "
        "not exactly 0 and 1: how far it is off says how unlike the training pictures this one is, for "
        "this channel. Layer norm standardises each position over the channels, so a single channel may "
        "come out with any mean."
    )
    show_figure(figures.channels(found, channel, dark=here.dark), here, "norm_channels", height=260)
    explain.code(networks.folded)
    with st.expander("What is shown", icon=":material/menu_book:"):
        st.markdown(
            "“After γ and β” is before an activation that the layer has built in (as timm's have). Of "
            "channel numbers the first is 1. Folding: w′ = w γ / √(σ² + ε), b′ = (b − μ) γ / √(σ² + ε) + "
            "β, possible because in evaluation mode batch norm is one multiplication and one addition a "
            "channel. Layer norm cannot be folded: its mean and deviation come from the picture. [Ioffe "
            "and Szegedy 2015](https://arxiv.org/abs/1502.03167), section 3.1; [Ba et al. "
            "2016](https://arxiv.org/abs/1607.06450)."
        )


def _numbers_of(found: Inside, channel: int) -> str:
    batch = found.kind == "Batch norm"
    mean, deviation = found.before[channel].mean(), found.before[channel].std()
    used = (
        f"running mean **{found.mean[channel]:.3f}**, deviation **{found.deviation[channel]:.3f}** "
        f"(this picture: {mean:.3f} and {deviation:.3f})"
        if batch
        else f"{found.mean.size} positions, their means {found.mean.min():.3f} to {found.mean.max():.3f}"
    )
    text = (
        f"**{found.kind}**, channel {channel + 1} of {len(found.before)}: {used}, "
        f"γ **{found.gamma[channel]:.3f}**, β **{found.beta[channel]:.3f}**. Largest difference from the "
        f"layer's own answer: {found.difference:.1g}."
    )
    if fold := found.fold:
        text += (
            f" **Folded into `{fold.convolution}`** the two become one convolution: largest difference "
            f"{fold.difference:.1g} where the largest output is {fold.scale:.3g}, and {exact(fold.saved)} "
            "numbers fewer."
        )
    return text + " Computed here."


def in_blocks(_choose: Controls[Choices], here: Page) -> None:
    """Where the norm stands in the block of each family."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import places
    from explorer.ui.normalisation import network_figures as figures

    found = _all(here)
    show_figure(figures.blocks(found, dark=here.dark), here, "norm_blocks", height=38 * len(found) + 8)
    explain.look_for(
        "**post**: behind the layers, as ResNet has it; **pre**: before the first layer, so that what "
        "runs along the skip is never normalised; **between**: once, behind the first layer, as ConvNeXt; "
        "**none**. Gates (squeeze-and-excitation) are left out. Count the norms: a ResNet bottleneck has "
        "three, a ConvNeXt block one."
    )
    explain.code(places.placement)
    with st.expander("The blocks as a table, and how they were read", icon=":material/menu_book:"):
        lines = [
            "| Network | Block | Norms | Layers | Norm stands | Main way |",
            "|---|---|---:|---:|---|---|",
        ]
        for name, block in found.items():
            way = " · ".join(step.label for step in block.steps)
            lines.append(
                f"| {name} | {plain(block.name)} × {block.count} | {block.norms} | {block.layers} "
                f"| {block.placement} | {plain(way)} |"
            )
        st.markdown("\n".join(lines))
        st.caption(
            "Read off each network's trace: the block it repeats most, along its main way; what stands on "
            "the skip and gates are left out. One of the project's source texts gives a ResNet bottleneck "
            "two norms: it has three, a basic block two."
        )


def _all(here: Page) -> Mapping[str, Block]:
    """The visitor's own network first; progress where traces have to be made."""
    reference = here.reference()
    own = {f"{reference.title} (chosen)": str(reference)} if str(reference) not in _PLACES.values() else {}
    wanted = {**own, **_PLACES}
    place, found = st.empty(), {}
    for number, (name, network) in enumerate(wanted.items()):
        if not st.session_state.get(_TRACED):
            left = time_left(_A_TRACE * (len(wanted) - number))
            place.progress(
                number / len(wanted), text=f"Reading the graph of {plain(name)}, once per server: {left}"
            )
        block = _block(network)
        if block is not None:
            found[name] = block
    place.empty()
    st.session_state[_TRACED] = True
    return found


@st.cache_resource(show_spinner=False, max_entries=64)
def _block(network: str) -> Block | None:
    """None where the network cannot be built or traced here."""
    from explorer import analysis
    from explorer.labs.normalisation.places import typical_block

    try:
        return typical_block(analysis.trace(network))
    except ValueError:
        return None
