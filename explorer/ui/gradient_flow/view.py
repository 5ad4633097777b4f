"""The views of the gradient flow page: what was measured, as figures and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.ui.frame.page import Page
from explorer.ui.gradient_flow import measured
from explorer.ui.gradient_flow.controls import ACTIVATIONS, INITIALISATIONS, NORMS, SKIPS, STRENGTHS, Choices
from explorer.ui.kit import explain
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import three_digits

if TYPE_CHECKING:
    from explorer.labs.gradients.flow import Flow

_HEIGHT = 400
_VALUES = {"skip": SKIPS, "initialisation": INITIALISATIONS, "activation": ACTIVATIONS, "norm": NORMS}
# Layers; the work grows with the square of the depth.
MAX_PATH_DEPTH = 60
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(value: float) -> str:
    """`1.32 × 10⁻¹⁰⁸`, and plain digits where they are as short."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "undefined" if np.isnan(value) else "infinite"
    if 0.001 <= abs(value) < 10_000:
        return three_digits(value)
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def flow(choices: Choices, here: Page) -> None:
    from explorer.labs.gradients import flow as gradient_flow
    from explorer.labs.gradients import random_networks
    from explorer.ui.gradient_flow import figures

    with st.spinner("Building and measuring the networks, some seconds for deep ones …"):
        found = {
            _named(choices.sweep, value): measured.flow(
                measured.key(choices, **{choices.sweep: value}), choices.seeds
            )
            for value in _VALUES[choices.sweep]
        }
    show_figure(
        figures.flows(found, weights=choices.weights, dark=here.dark), here, "gradient_figure", _HEIGHT
    )
    silent = {name: each.underflows for name, each in found.items() if not each.gradient_norm[:, 0].any()}
    for underflows, why in (
        (False, "Exactly zero"),
        (True, "Too small even for double precision (5 × 10⁻³²⁴)"),
    ):
        if names := [name for name, each in silent.items() if each is underflows]:
            st.caption(f"{why} at the first layer, so not drawn on a logarithmic axis: {', '.join(names)}.")
    st.dataframe([_row(name, each) for name, each in found.items()], hide_index=True, key="flow_table")
    explain.look_for(
        "Follow each curve on the left from its right end, where the loss is, back to layer 0: a straight "
        "line is a constant factor per layer, and a skip moves it. Then choose Kaiming: the network "
        "without skips recovers, and now the sums of the skips grow, until a norm holds them."
    )
    explain.code(gradient_flow.one_network, random_networks.Block.forward, random_networks.Block.branch)
    _about(choices)


def _named(sweep: str, value: str) -> str:
    """ "no skip", "batch norm": what a legend calls one value of a choice."""
    if sweep == "skip":
        return "no skip" if value == "none" else value
    if sweep == "norm":
        return "no norm" if value == "none" else f"{value} norm"
    return value


def _row(name: str, found: Flow) -> dict[str, str]:
    first, last = (float(np.median(found.gradient_norm[:, place])) for place in (0, -1))
    growth = np.median(found.activation_rms[:, -1] / found.activation_rms[:, 0])
    return {
        "network": name,
        "gradient at layer 0": scientific(first),
        f"at layer {found.design.depth}": scientific(last),
        "first ÷ last": scientific(found.reaches),
        "factor per layer": scientific(found.factor_per_layer),
        "activations, last ÷ first": scientific(float(growth)),
    }


def _about(choices: Choices) -> None:
    from explorer.labs.gradients import initialisation, random_networks

    fan = choices.width * 9
    with st.expander("What was measured, and the sources", icon=":material/science:"):
        st.markdown(
            f"Computed here, in double precision: a 3×3 stem, {choices.depth} 3×3 convolutions of "
            f"{choices.width} channels in blocks of two, and a linear head, on {random_networks.PICTURES} "
            f"pictures of noise, {random_networks.SIDE} × "
            f"{random_networks.SIDE} pixels, with random labels and "
            "cross-entropy. The edges of the picture wrap around, because zero padding alone would shrink "
            "the signal at each layer. Lines are medians, bands reach from the least to the greatest of "
            "the seeds. A skip passes over two convolutions. Nothing is trained: "
            "this is the first step of training.\n\n"
            f"Standard deviation of a weight at {fan} inputs (3 · 3 · {choices.width}): Kaiming √(2/{fan}) = "
            f"{initialisation.kaiming_std(fan):.4f} ([He et al. 2015](https://arxiv.org/abs/1502.01852)); "
            f"Xavier √(2/{2 * fan}) = {initialisation.xavier_std(fan, fan):.4f} "
            "([Glorot & Bengio 2010](https://proceedings.mlr.press/v9/glorot10a.html)); naive "
            f"{initialisation.NAIVE_STD}; orthogonal, gain 1 "
            "([Saxe et al. 2013](https://arxiv.org/abs/1312.6120)); Fixup shrinks Kaiming by "
            f"L^(−1/2) = {initialisation.fixup_scale(max(choices.depth // 2, 1), 2):.3f} and starts the last "
            "layer of each branch at zero ([Zhang et al. 2019](https://arxiv.org/abs/1901.09321)); its zero "
            "classifier is left out, which would stop every gradient before the first step. Batch norm uses "
            "the batch at hand; that it makes gradients grow without skips is known "
            "([Yang et al. 2019](https://arxiv.org/abs/1902.08129))."
        )


def jacobians(choices: Choices, here: Page) -> None:
    from explorer.labs.gradients import flow as gradient_flow
    from explorer.ui.gradient_flow import figures

    with st.spinner("Greatest singular value of every block, some seconds for deep networks …"):
        found = measured.jacobians(measured.key(choices))
    show_figure(figures.jacobian_products(found, dark=here.dark), here, "jacobian_figure", _HEIGHT)
    bound, mean, true = (
        float(gradient_flow.products(each)[0]) for each in (found.spectral, found.mean_gain, found.gradient)
    )
    columns = st.columns(3)
    columns[0].metric("Bound: greatest singular values", scientific(bound))
    columns[1].metric("Mean: all singular values", scientific(mean))
    columns[2].metric("The gradient, first ÷ last", scientific(true))
    explain.look_for(
        "The product of the greatest singular values is only a bound: it may explode while the gradient "
        "itself keeps its size or vanishes, because a random gradient meets all directions, not the worst. "
        "The dotted mean follows the real gradient closely; where every factor is below 1, all must vanish."
    )
    explain.code(gradient_flow.linear_maps, gradient_flow.spectral_norm, gradient_flow.products)
    with st.expander("What was measured", icon=":material/science:"):
        st.markdown(
            "Computed here for one random network (seed 0), block by block, at the batch it met. Greatest "
            "singular value by power iteration, so from below; the mean by one random probe. The gradient "
            "before a block is the transposed Jacobian times the gradient behind it: its length is at most "
            "the product of the greatest singular values."
        )


def paths(choices: Choices, here: Page) -> None:
    from explorer.labs.gradients import paths as core
    from explorer.ui.gradient_flow import path_figures as figures

    depth = min(choices.depth, MAX_PATH_DEPTH)
    skip = "ResNet v2" if choices.skip == "none" else choices.skip
    with st.spinner("Leading the gradient along all paths, some seconds for deep networks …"):
        found = measured.path_sums(None if choices.trained else measured.key(choices, depth=depth, skip=skip))
    show_figure(figures.lengths(found, dark=here.dark), here, "path_figure", _HEIGHT)
    blocks = len(found.share) - 1
    low, high = found.carrying
    columns = st.columns(4)
    columns[0].metric("Blocks", blocks)
    columns[1].metric("Paths", f"{core.path_count(blocks):,}" if blocks < 40 else f"2^{blocks}")
    columns[2].metric("Mean length of a path", f"{blocks / 2:g}")
    columns[3].metric("Mean length, by gradient carried", f"{found.mean_length:.2f}")
    st.markdown(
        f"Lengths {low} to {high} carry 95 % of it. All paths add up to {scientific(found.whole)}, the "
        f"gradient itself; the one path past all blocks brings {scientific(float(found.of_one[0]))}."
    )
    notes = []
    if not choices.trained and choices.skip == "none":
        notes.append("Without a skip there is one path only, so ResNet v2 is shown.")
    if not choices.trained and choices.depth > depth:
        notes.append(f"Paths are led through {depth} layers at most.")
    if notes:
        st.caption(" ".join(notes))
    explain.look_for(
        "Most paths are half as long as the network (left), but each block on the way may weaken what a path "
        "carries (middle), and the product of the two peaks elsewhere (right). Turn batch norm on: the "
        "longer the path, the less it brings, and a deep network learns through its short ones."
    )
    explain.code(core.path_count, core.share_of_length, core.measure)
    with st.expander("What was measured, and the source", icon=":material/science:"):
        st.markdown(
            "[Veit et al. 2016](https://arxiv.org/abs/1605.06431) sampled paths of a trained ResNet-110. "
            "Here the sum over all paths of a length is exact: each block sends what arrives over the "
            "skip at the same length and through its branch to the next, so L²/2 products stand for 2^L "
            "paths, and the sum over all lengths is the gradient of backpropagation to rounding. The middle "
            "picture is the "
            "mean of a few random paths of each length. The trained network is the zoo's ResNet-20 with the "
            "sample pictures and the gradient of each picture's greatest score."
        )


def claim(choices: Choices, here: Page) -> None:
    from explorer.labs.gradients import skip_claim
    from explorer.ui.gradient_flow import path_figures as figures

    with st.spinner("Trying blocks, a few seconds …"):
        found = measured.trials(None if choices.trained else measured.key(choices, skip="ResNet v2"))
    shorter = found.shrunk(choices.strength, choices.erase)
    st.markdown(
        "**The claim:** with a skip, y = F(x) + x, the gradient is never smaller before a block than behind "
        "it, because the + x passes it on whole. "
        + (
            "**Refuted here:** the term of the branch can point against the gradient, and then takes from it."
            if shorter
            else "**Not refuted by these trials**, but nothing in the formula forbids it: move the sliders."
        )
    )
    scales = sorted({*STRENGTHS, *np.geomspace(0.001, 3, 25).tolist()})
    made = figures.claim(found, choices.strength, choices.erase, scales, dark=here.dark)
    show_figure(made, here, "claim_figure", _HEIGHT)
    least = float(found.with_skip(choices.strength, choices.erase).min())
    columns = st.columns(3)
    columns[0].metric(f"Shorter, of {len(found.along)} trials", f"{100 * shorter:.1f} %")
    columns[1].metric("Least factor", scientific(least))
    columns[2].metric(
        "Shorter than without the skip",
        f"{100 * found.below_plain(choices.strength, choices.erase):.1f} %",
        help="The twin block y = F(x), everything else equal.",
    )
    explain.look_for(
        "The weaker a random branch, the closer the share of shortened gradients comes to one half, though "
        "each loses next to nothing: the +1 is a vector that the branch may oppose, not a lower bound. "
        "Let the branch erase its input (−x): at 1 the skip is gone, and with a weak branch the gradient too."
    )
    explain.code(skip_claim.scalar, skip_claim.Trials.with_skip, skip_claim.Trials.shrunk)
    with st.expander("What was tried", icon=":material/science:"):
        st.markdown(
            "Random: 300 blocks of two 3×3 convolutions, each with its own weights, input and gradient, all "
            "normal noise; Fixup's zero layers are left to the strength slider. Trained: every identity "
            "block of the zoo's ResNet-20 for each sample picture, with the gradient that really arrives "
            "there, taken at the sum, before the ReLU behind it cuts more off. Strength 1 is the "
            "network as trained."
        )


def activation_functions(choices: Choices, here: Page) -> None:
    from explorer.labs.gradients import activations as core
    from explorer.ui.gradient_flow import path_figures as figures

    show_figure(figures.functions(choices.depth, dark=here.dark), here, "activation_figure", _HEIGHT)
    table = figures.slopes_table(choices.depth)
    st.dataframe(
        [{name: scientific(v) if isinstance(v, float) else v for name, v in row.items()} for row in table],
        hide_index=True,
        key="slopes_table",
    )
    left = core.chain(core.GREATEST["sigmoid"], choices.depth)
    st.markdown(
        f"At best, {choices.depth} sigmoids leave 0.25^{choices.depth} = **{scientific(left)}** of what "
        "came from behind."
    )
    explain.look_for(
        "The sigmoid's derivative never passes 0.25, so its product falls whatever the inputs; tanh and ReLU "
        "reach 1, GELU and SiLU a little more, so for them the weights decide. That product is not the whole "
        "story: each layer also multiplies by its weights, which the view Flow shows."
    )
    explain.code(core.sigmoid_derivative, core.gelu, core.gelu_derivative, core.silu_derivative, core.chain)
    with st.expander("The functions and their derivatives", icon=":material/science:"):
        for each in core.ACTIVATIONS.values():
            st.markdown(f"**{each.name}**: $f(z) = {each.formula}$, $f'(z) = {each.derivative_formula}$")
        st.markdown(
            "Typical: root mean square of f′ for z from a standard normal, by quadrature. "
            "[Glorot & Bengio 2010](https://proceedings.mlr.press/v9/glorot10a.html), "
            "[GELU](https://arxiv.org/abs/1606.08415), [SiLU](https://arxiv.org/abs/1702.03118)."
        )


SHOW: dict[str, Callable[[Choices, Page], None]] = {
    "Flow": flow,
    "Jacobians": jacobians,
    "Paths": paths,
    "The claim": claim,
    "Activations": activation_functions,
}
