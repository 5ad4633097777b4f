"""Checks of claims about what networks do: gradients, norms, shifts. Each asks the lab that shows it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from timm.layers.grn import GlobalResponseNorm
from torch import nn

from explorer import networks
from explorer.analysis import trace
from explorer.inference import SAMPLES, decode
from explorer.inference.preprocessing import prepare
from explorer.labs import degradation
from explorer.labs.claims.values import Measured
from explorer.labs.gradients import activations, random_networks, skip_claim
from explorer.labs.gradients import flow as gradient_flow
from explorer.labs.inductive_bias import shifts
from explorer.labs.normalisation import forgotten_eval, tensors
from explorer.labs.receptive_field import effective
from explorer.labs.receptive_field.theory import central_unit, field_at
from explorer.networks import Network

_TRAINED = "zoo:resnet20"  # comes with the app


def worked_example(
    values: Sequence[float], gamma: float, beta: float, what: str, digits: int | None = None
) -> Measured:
    """mean, variance, normalised or output of batch norm on a few numbers; digits: rounded in between."""
    steps = tensors.worked(values, gamma, beta, digits=digits)
    found = getattr(steps, what)
    between = f", rounded to {digits} digits in between" if digits is not None else ""
    return Measured(
        tuple(found) if isinstance(found, tuple) else (found,),
        f"{what} of batch norm on {list(values)}{between}",
    )


def undone(values: Sequence[float]) -> Measured:
    """The largest change that batch norm makes with gamma and beta set to the batch's own deviation and
    mean.
    """
    steps = tensors.worked(values, 1, 0)
    again = tensors.worked(values, math.sqrt(steps.variance), steps.mean)
    change = max(abs(a - b) for a, b in zip(again.output, values, strict=True))
    return Measured((change,), f"largest change of {list(values)} with gamma = deviation, beta = mean")


def batch_of_one(side: int) -> Measured:
    """Variance of one channel in a batch of one picture with a map of side x side."""
    x = tensors.random_maps(1, 1, side)
    return Measured((float(x.var(unbiased=False)),), f"variance of one map of {side} × {side}")


def cells_per_statistic(norm: str, shape: Sequence[int]) -> Measured:
    """Numbers that a norm averages for one statistic of a tensor [N, C, H, W]."""
    n, c, h, w = shape
    _, cells = tensors.sets(tensors.NORMS[norm], (n, c, h, w))
    return Measured((float(cells),), f"{norm} norm of a tensor {list(shape)}")


def batch_noise(sizes: Sequence[int]) -> Measured:
    """Error of a batch's mean, as a share of the deviation, at each batch size."""
    found = tensors.batch_noise(tensors.normal_pictures(), sizes)
    return Measured(found.mean_error, f"error of the mean of batches of {', '.join(map(str, sizes))}")


def company_changes(norm: str) -> Measured:
    """How far a picture's normalised map moves, root mean square, when the other picture of its batch of two
    is exchanged.
    """
    maps = tensors.random_maps(3, 8, 8)
    chosen = tensors.NORMS[norm]
    first, second = (tensors.normalise(maps[[0, other]], chosen)[0] for other in (1, 2))
    change = float((first - second).square().mean().sqrt())
    return Measured((change,), f"{norm} norm of one picture in two batches of two")


def train_mode() -> Measured:
    """The largest difference, in points, of one class's probability between two companies in train mode."""
    network = networks.load(_TRAINED)
    pictures = [decode(SAMPLES[name].load()) for name in ("chelsea", "coffee", "rocket", "camera")]
    companies = {"one": pictures[1:3], "two": pictures[2:4]}
    replies = forgotten_eval.drift(network, pictures[0], companies).replies
    seen = [reply.expected for reply in replies if reply.mode == "train"]
    return Measured((100 * (max(seen) - min(seen)),), f"{_TRAINED} in train mode, two companies")


def train_mode_again() -> Measured:
    """The largest difference of an output when the very same batch goes through in train mode twice."""
    network = networks.load(_TRAINED)
    batch = torch.cat(
        [prepare(decode(SAMPLES[name].load()), network.input).x for name in ("chelsea", "coffee")]
    )
    model = copy.deepcopy(network.model).train()
    with torch.no_grad():
        answers = [model(batch) for _ in range(2)]
    off = float((answers[0] - answers[1]).abs().max())
    return Measured((off,), f"{_TRAINED} in train mode, one batch of two pictures, twice")


def gate_reached(applied: bool) -> Measured:
    """Percent of the parameters of an MBConv block's squeeze-and-excitation gate that its output depends on.

    applied: the gate multiplies the wide map before the projection, as in the paper; else the forward pass
    runs through expansion, depthwise convolution and projection and never asks it.
    """
    narrow, wide = 16, 64
    expand, project = nn.Conv2d(narrow, wide, 1), nn.Conv2d(wide, narrow, 1)
    depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide)
    gate = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 4, 1), nn.SiLU(), nn.Conv2d(4, wide, 1), nn.Sigmoid()
    )
    with torch.enable_grad():
        middle = depthwise(expand(tensors.random_maps(2, narrow, 8)).relu()).relu()
        answer = project(middle * gate(middle) if applied else middle)
        found = torch.autograd.grad(answer.sum(), list(gate.parameters()), allow_unused=True)
    sizes = [parameter.numel() for parameter in gate.parameters()]
    reached = sum(size for size, slope in zip(sizes, found, strict=True) if slope is not None)
    how = "multiplied into the wide map" if applied else "built beside a forward pass that never calls it"
    return Measured((100 * reached / sum(sizes),), f"parameters of an MBConv gate {how}, reached by autograd")


def grn_differs(gamma: float, beta: float) -> Measured:
    """How far x * |x| / mean |x| is from timm's GlobalResponseNorm, root mean square, by that of the layer.

    |x|: of each channel over its places. gamma, beta: what the layer has learned, 0 and 0 before training.
    """
    x = tensors.random_maps(2, 8, 8)
    size = x.square().sum(dim=(2, 3), keepdim=True).sqrt()
    printed = x * size / size.mean(dim=1, keepdim=True)
    layer = GlobalResponseNorm(8, channels_last=False)
    with torch.no_grad():
        layer.weight.fill_(gamma)
        layer.bias.fill_(beta)
        real = layer(x.float()).to(x.dtype)
    off = float((printed - real).square().mean().sqrt() / real.square().mean().sqrt())
    return Measured((100 * off,), f"x·‖x‖/mean‖x‖ against timm's GlobalResponseNorm, γ {gamma:g}, β {beta:g}")


def derivative(activation: str, at: Sequence[float]) -> Measured:
    """Slope of an activation function at these places."""
    z = torch.tensor(at, dtype=torch.float64)
    slopes = activations.ACTIVATIONS[activation].derivative(z)
    return Measured(tuple(slopes.tolist()), f"derivative of {activation} at {list(at)}")


def lowest_slope(activation: str) -> Measured:
    """The smallest derivative between -12 and 12."""
    z = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    slope = float(activations.ACTIVATIONS[activation].derivative(z).min())
    return Measured((slope,), f"smallest derivative of {activation}")


def gelu_by_tanh() -> Measured:
    """The largest difference between GELU and its approximation."""
    z = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
    off = (activations.gelu(z) - activations.gelu_by_tanh(z)).abs().max()
    return Measured((float(off),), "largest difference of the two from -6 to 6")


def gradient_reaches(design: Mapping[str, Any]) -> Measured:
    """Gradient before the first block by that behind the last, median of three random networks."""
    flow = gradient_flow.measure(random_networks.Design(**design))
    return Measured((flow.reaches,), f"gradient at the start by that at the end, {_told(design)}")


def activations_keep(design: Mapping[str, Any]) -> Measured:
    """Size of what comes out of the last block by that of what enters the first, median of three networks."""
    rms = gradient_flow.measure(random_networks.Design(**design)).activation_rms
    return Measured((float(np.median(rms[:, -1] / rms[:, 0])),), f"activations at the end, {_told(design)}")


def _told(design: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in design.items())


def skip_shortens(scale: float = 1.0, blocks: int = 300) -> Measured:
    """Percent of random residual blocks before which a gradient is shorter than behind them; scale: of their
    branch.
    """
    trials = skip_claim.random_trials(random_networks.Design(depth=2, skip="ResNet v1"), blocks)
    told = f"{len(trials.along)} random blocks, branch times {scale:g}"
    return Measured((100 * trials.shrunk(scale),), told)


def blocked_branch() -> Measured:
    """What a gradient of length 1 is before a block whose branch passes none."""
    found = skip_claim.Trials(np.zeros(1), np.zeros(1)).with_skip()
    return Measured((float(found[0]),), "length of a gradient before y = F(x) + x with dF/dx = 0")


def equivariance(pixels: int) -> Measured:
    """Error, in percent, of the moved feature map against the map of the picture moved so far."""
    network: Network = networks.load(_TRAINED)
    known = shifts.places(network)
    place = known[shifts.place_to_start(known)]
    scene = shifts.scene(decode(SAMPLES["chelsea"].load()), network.input)
    found = shifts.answers(network, torch.cat([scene.shifted(0), scene.shifted(pixels)]), place.layer)
    result = shifts.equivariance(found.maps[0], found.maps[1], (0, pixels), place)
    told = f"{place.layer.path} of {_TRAINED}, stride {place.field.stride[1]:g}"
    return Measured((100 * result.error,), f"{told}, picture moved by {pixels} pixels")


def effective_area(network: str, passes: int) -> Measured:
    """Percent of the theoretical field's area that the effective one of the last map has, random weights."""
    found = networks.load(f"random:{network}")
    path = effective.start(found.model, found.input).layer
    field = field_at(trace(found.reference, found.input.image_size), path)
    if field is None:
        raise ValueError(f"the last map of {network} has no place in the image")
    roomy = effective.roomy(found.input, max(field.size))
    so_far = effective.start(found.model, roomy, path, central_unit(field, roomy.shape[1:]))
    for _ in range(passes):
        so_far = effective.measure(found.model, roomy, so_far)
    area = effective.effective_width(so_far.energy) ** 2
    share = 100 * area / math.prod(field.size)
    told = f"{area:.0f} of {math.prod(field.size):.0f} pixels move the middle unit of {network}"
    return Measured((share,), f"{told}, random weights, {passes} inputs of noise")


def deeper_twin(residual: bool, on: degradation.Measure) -> Measured:
    """Points of error that the trained twin of 56 layers has more than that of 20; on: train or test."""
    pair = degradation.read().pair(residual=residual)
    if pair is None:
        raise ValueError("the twins of 20 and 56 layers have not both been trained")
    kind = "residual" if residual else "plain"
    shallow, deep = (f"{degradation.final_error(card, on):.2f} %" for card in pair)
    told = f"{kind} twins, {pair[0].epochs} epochs here: {on} error {shallow} of 20 layers, {deep} of 56"
    return Measured((degradation.gap(*pair, on).points,), told)
