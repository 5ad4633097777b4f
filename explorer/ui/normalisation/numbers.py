"""The views of the Normalisation page that work on plain numbers: axes, one batch, statistics."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, fields
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.lab import Controls
from explorer.ui.normalisation import controls
from explorer.ui.normalisation.controls import (
    FROM_LAYER,
    LAYER,
    MOST_NUMBERS,
    NUMBERS,
    SIZES,
    TENSOR,
    Choices,
)
from explorer.ui.picture import weights

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from torch import Tensor

    from explorer.labs.normalisation.tensors import Steps
    from explorer.networks import Network

_RANDOM, _ANY_LAYER = "random", "layer"
_PICTURES, _CHANNELS, _SIDE = 4, 8, 8  # of the tensor in the axes picture: few enough to see every cell
_LARGEST = 1e6
_REACHES = (6.0, 60.0, 600.0, 6e3, 6e4, 6e5, 6e6)  # of the sliders; the last holds any numbers of _LARGEST
_CUT_OUTS = 16  # of each picture, for the noise of the statistics
_BATCHES = 120


def axes(choose: Controls[Choices], here: Page) -> None:
    """Which cells share a mean, on a tensor one can choose."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import tensors
    from explorer.ui.normalisation import figures

    norm = tensors.NORMS[choose.draw("norm", options=list(tensors.NORMS))]
    row = st.columns([3, 2, 2, 2, 3, 3], vertical_alignment="bottom")
    x, names, about = _tensor(here, row[0], row[4], row[5])
    picture = choose.draw("picture", row[1], max_value=len(x)) - 1
    channel = choose.draw("cell_channel", row[2], max_value=x.shape[1]) - 1
    groups = 1
    if norm.name == "Group":
        groups = choose.draw("groups", row[3], options=[g for g in (1, 2, 4, 8) if x.shape[1] % g == 0])
    shape = (len(x), x.shape[1], _SIDE, _SIDE)
    mark = tensors.shared(norm, shape, (picture, channel, _SIDE // 2, _SIDE // 2), groups)
    before, after = x.numpy(), tensors.normalise(x, norm, groups).numpy()
    figure = figures.axes({"before": before, "after": after}, mark, names, dark=here.dark)
    show_figure(figure, here, "norm_axes", height=360)
    number, cells = tensors.sets(norm, shape, groups)
    st.markdown(
        f"**{norm.name}: a statistic is shared by {norm.shares}.** {number:,} statistics of {cells:,} "
        f"cells each; the coloured one has {_moments(before[mark == 2])} before and "
        f"{_moments(after[mark == 2])} after (computed here {about})."
    )
    explain.look_for(
        "Go through the norms and watch the coloured set: only batch norm's crosses from one picture to "
        "the next. Afterwards each set has mean 0 and deviation 1, so what told two sets apart is gone "
        "and what told cells of one set apart stays; RMS norm leaves the mean, and GRN makes strong "
        "channels stronger."
    )
    explain.code(tensors.standardise, tensors.normalise, tensors.response)
    with st.expander("The norms, their papers, and what the sources say", icon=":material/menu_book:"):
        st.markdown(_norm_table())


def _moments(values: np.ndarray) -> str:
    return f"mean {round(float(values.mean()), 2) + 0.0:.2f} and deviation {values.std():.2f}"


def _tensor(
    here: Page, slot: DeltaGenerator, network_slot: DeltaGenerator, picture_slot: DeltaGenerator
) -> tuple[Tensor, list[str], str]:
    """([4, 8, 8, 8], names of the pictures, what it is)."""
    from explorer.labs.normalisation import tensors

    asked = fields.get(TENSOR)
    options = {_RANDOM: "Random numbers", _ANY_LAYER: "A layer of a network"}
    about = "on random numbers"
    names = [f"picture {n}" for n in range(1, _PICTURES + 1)]
    if asked and asked != _RANDOM:
        picture = weights.picture(picture_slot)
        weights_id = weights.weights(network_slot, here)
        paths = list(controls.norm_layers(weights_id))
        if paths:
            shown = state.one_of(TENSOR, (*paths, _ANY_LAYER)) or paths[0]
            shown = shown if shown in paths else paths[0]
            controls.menu(slot, "Tensor", TENSOR, {_RANDOM: "Random numbers"} | {p: p for p in paths}, shown)
            others = _others(picture.title)
            images = [picture.image, *(controls.samples()[name] for name in others)]
            maps = controls.ask(
                weights_id,
                ("maps", shown, picture.digest),
                lambda network: _small(network, images, shown),
            )
            about = f"on {maps.shape[1]} channels of what enters `{shown}`, averaged to {_SIDE} × {_SIDE}"
            return maps, [shorten(name, 16, placeholder=" …") for name in (picture.title, *others)], about
        about = "on random numbers, for this network has no norm layer"
    controls.menu(slot, "Tensor", TENSOR, options, _RANDOM)
    return tensors.random_maps(_PICTURES, _CHANNELS, _SIDE), names, about


def _others(title: str) -> list[str]:
    return [name for name in controls.samples() if name != title][: _PICTURES - 1]


def _small(network: Network, images: Sequence[Any], path: str) -> Tensor:
    """The first channels, their maps averaged to few cells."""
    import torch.nn.functional as F

    from explorer.labs.normalisation import networks

    maps = networks.layer_inputs(network, images, path)
    return F.adaptive_avg_pool2d(maps[:, :_CHANNELS], _SIDE)


def _norm_table() -> str:
    from explorer.labs.normalisation.tensors import NORMS

    lines = ["| Norm | A statistic is shared by | Known from | Paper | PyTorch |", "|---|---|---|---|---|"]
    for norm in NORMS.values():
        paper = f"[{norm.paper}]({norm.url})"
        lines.append(f"| {norm.name} | {norm.shares} | {norm.where} | {paper} | `{norm.torch}` |")
    return "\n".join(lines) + "\n\n" + _SLIPS


_SLIPS = """Where the project's source texts are too short (each checked by a test):
- Batch norm's mean is written as one over N pictures; on feature maps it runs over N, H and W.
- GRN is written as x · ‖x‖ / mean ‖x‖; the layer has γ, β and the input added back as well.
- Layer norm is called less stable with small batches; it does not look at the batch at all.
- γ = σ and β = μ is said to undo batch norm; exactly it takes γ = √(σ² + ε)."""


def one_batch(choose: Controls[Choices], here: Page) -> None:
    """Raw, normalised, after gamma and beta: of a few numbers step by step, or of thousands as histograms."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import tensors
    from explorer.ui.normalisation import figures

    row = st.columns([5, 3, 3, 3, 3], vertical_alignment="bottom")
    source = choose.draw("source", row[0])
    if source == NUMBERS:
        values, refused = numbers(choose.draw("values", row[3]))
        flat = np.array(values)
    else:
        raw, about = _population(here, source, row[3], row[4])
        flat = raw.ravel()
    undone = tensors.worked(flat.tolist(), 1, 0)
    deviation, mean = math.sqrt(undone.variance + tensors.EPS), undone.mean
    reach = _reach(max(deviation, abs(mean)))
    reaching = {"min_value": -reach, "max_value": reach, "step": reach / 600}
    gamma, beta = choose.draw("gamma", row[1], **reaching), choose.draw("beta", row[2], **reaching)
    if source == NUMBERS:
        worked = tensors.worked(values, gamma, beta)
        left, right = st.columns([7, 5], gap="medium")
        with left:
            show_figure(figures.few_numbers(worked, dark=here.dark), here, "norm_numbers", height=330)
        right.markdown(refused + _step_by_step(worked, gamma, beta))
    else:
        normalised = tensors.standardise(_as_tensor(flat), (0,)).numpy()
        stages = dict(
            zip(figures.stages_of(here.dark), (flat, normalised, gamma * normalised + beta), strict=True)
        )
        show_figure(figures.histograms(stages, dark=here.dark), here, "norm_histograms", height=430)
        st.caption(f"{flat.size:,} values of one channel of one batch: {about}. Computed here.")
    explain.look_for(
        "The shape of the distribution never changes: normalising moves and stretches it to mean 0 and "
        "deviation 1, γ and β move and stretch it again. Set γ to √(σ² + ε), here "
        f"{deviation:.4g}, and β to μ, here {mean:.4g}: the last row equals the first, so the layer can undo "
        "itself where that is best."
    )
    explain.code(tensors.worked, tensors.standardise)
    with st.expander("The worked example and its rounding", icon=":material/menu_book:"):
        st.markdown(_rounding())


def _reach(needed: float) -> float:
    """How far the sliders go: so far that γ and β can undo the normalisation of these very values."""
    return next((reach for reach in _REACHES if reach >= needed), _REACHES[-1])


def numbers(text: str) -> tuple[tuple[float, ...], str]:
    """The numbers in a text, and a sentence where it holds none that can be used; then the first values."""
    try:
        found = tuple(float(word) for word in re.split(r"[,;\s]+", text.strip()) if word)
    except ValueError:
        found = ()
    if 0 < len(found) <= MOST_NUMBERS and all(math.isfinite(x) and abs(x) <= _LARGEST for x in found):
        return found, ""
    first, _ = numbers(Choices.values)
    return first, f":material/info: One to {MOST_NUMBERS} numbers of up to a million, please.\n\n"


def _step_by_step(worked: Steps, gamma: float, beta: float) -> str:
    """Algorithm 1 of the paper with these numbers in it."""
    n = len(worked.values)

    def listed(values: Sequence[float]) -> str:
        return r",\;".join(f"{value:.4g}" if value == round(value, 3) else f"{value:.3f}" for value in values)

    lines = [
        rf"\mu = \tfrac{{1}}{{{n}}}\sum x = {worked.mean:.4g}",
        rf"\sigma^2 = \tfrac{{1}}{{{n}}}\sum (x-\mu)^2 = {worked.variance:.4g}",
        rf"\hat x = \frac{{x-\mu}}{{\sqrt{{\sigma^2+10^{{-5}}}}}} = [{listed(worked.normalised)}]",
        rf"y = {gamma:.4g}\,\hat x {beta:+.4g} = [{listed(worked.output)}]",
    ]
    text = "\n\n".join(f"{place}. $\\displaystyle {line}$" for place, line in enumerate(lines, 1))
    kept = f"{worked.unbiased:.4g}" if n > 1 else "undefined"
    return (
        f"{text}\n\nInto the running variance goes the sum over n − 1: {kept}. "
        "Computed here (Ioffe and Szegedy 2015, algorithm 1)."
    )


def _rounding() -> str:
    from explorer.labs.normalisation import tensors

    exact = tensors.worked((2, 4, 6, 8), 2, 1).output
    early = tensors.worked((2, 4, 6, 8), 2, 1, digits=2).output
    return (
        "The source's example, 2, 4, 6, 8 with γ = 2 and β = 1, prints −1.68, 0.10, 1.90, 3.68. Computed "
        f"here: {_listed(exact)}, that is {_listed(exact, 2)}. The printed numbers come out when the "
        f"normalised values are rounded to two digits before they are scaled: {_listed(early, 2)}. So 0.10 "
        "and 1.90 should read 0.11 and 1.89; the steps before are right.\n\n[Ioffe and Szegedy "
        "2015](https://arxiv.org/abs/1502.03167), algorithm 1. In training the batch is normalised by its "
        "own variance over n; the running variance for evaluation takes the sum over n − 1 "
        "([PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html))."
    )


def _listed(values: Sequence[float], digits: int = 4) -> str:
    return ", ".join(f"{value:.{digits}f}".replace("-", "−") for value in values)


def statistics(choose: Controls[Choices], here: Page) -> None:
    """What a batch knows of the whole, and how the running statistics gather it."""
    wait_for_imports(st.container())
    from explorer.labs.normalisation import tensors
    from explorer.ui.normalisation import figures

    row = st.columns([4, 3, 3, 3, 3], vertical_alignment="bottom")
    source = choose.draw("population", row[0])
    size = choose.draw("batch", row[1])
    momentum = choose.draw("momentum", row[2])
    values, about = _population(here, source, row[3], row[4])
    noise = tensors.batch_noise(values, SIZES)
    batches = tensors.batch_means(values, _BATCHES, size)
    truth = float(values.mean())
    figure = figures.statistics(
        noise,
        size,
        batches,
        tensors.running(batches, momentum),
        tensors.expected_running(_BATCHES, momentum, truth),
        truth,
        dark=here.dark,
    )
    show_figure(figure, here, "norm_statistics", height=430)
    at = SIZES.index(size)
    alike = (noise.by_picture[at] / noise.independent[at]) ** 2
    known = (
        "This channel has the same value everywhere, so there is nothing to be off by."
        if math.isnan(alike)
        else f"A batch of {size} pictures has its mean off by **{noise.mean_error[at]:.3f} σ** and its "
        f"variance by **{100 * noise.variance_error[at]:.1f} %** (root mean square of 400 draws); "
        f"independent positions would give {noise.independent[at]:.3f} σ, so {alike:.3g} positions of a "
        "picture count as one."
    )
    st.markdown(
        f"{known} The running mean in the end wanders {tensors.running_noise(momentum):.2f} times as "
        f"much as the batches, and after {_BATCHES} batches {100 * (1 - momentum) ** _BATCHES:.2g} % of "
        f"the start is left. Computed here on {about}."
    )
    explain.look_for(
        "Four times the batch halves the noise: a straight line on these axes. On a layer's values the "
        "measured points lie far above the dashed line, because neighbouring positions tell the same "
        "story; large maps do not make up for few pictures."
    )
    explain.code(tensors.batch_noise, tensors.running, tensors.running_noise)
    with st.expander("Two conventions of momentum", icon=":material/menu_book:"):
        st.markdown(_CONVENTIONS)


_CONVENTIONS = """PyTorch: new = (1 − m) · old + m · batch, m = 0.1 by default; `momentum=None` is the plain
average of all batches
([BatchNorm2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)).
Keras and TensorFlow: new = m · old + (1 − m) · batch, m = 0.99 by default
([BatchNormalization](https://keras.io/api/layers/normalization_layers/batch_normalization/)), 0.01 here.
The optimiser's momentum is another thing again.

With PyTorch's m the expected running mean after t batches is μ + (1 − m)ᵗ (start − μ); in the end it
wanders √(m / (2 − m)) times as much as the batches' means do."""


def _population(
    here: Page, source: str, slot: DeltaGenerator, more: DeltaGenerator
) -> tuple[np.ndarray, str]:
    """([pictures, positions] of one channel, what they are)."""
    from explorer.labs.normalisation import tensors

    if source == FROM_LAYER:
        weights_id = weights.weights(slot, here)
        paths = list(controls.norm_layers(weights_id))
        if paths:
            shown = state.one_of(LAYER, paths) or paths[0]
            controls.menu(more, "Layer", LAYER, {path: path for path in paths}, shown)
            values = controls.ask(
                weights_id, ("population", shown), lambda network: _cut_outs(network, shown)
            )
            return (
                values,
                f"{len(values)} cut-outs of the sample pictures, channel 1 of what enters `{shown}`",
            )
        slot.caption("This network has no norm layer; normal numbers instead.")
    values = tensors.normal_pictures()
    return (
        values,
        f"{len(values)} pictures of {values.shape[1]} independent normal numbers, mean 1, deviation 2",
    )


def _cut_outs(network: Network, path: str) -> np.ndarray:
    """[pictures, positions] of the first channel."""
    from explorer.labs.normalisation import forgotten_eval, networks

    images = [
        cut
        for seed, image in enumerate(controls.samples().values())
        for cut in forgotten_eval.cut_outs(image, _CUT_OUTS, seed)
    ]
    return networks.layer_inputs(network, images, path)[:, 0].flatten(1).numpy()


def _as_tensor(values: np.ndarray) -> Tensor:
    import torch

    return torch.from_numpy(values)
