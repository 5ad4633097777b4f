"""Checks of claims that a pencil could do: layers written out, stacks, rules of scaling, counts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import timm
import torch
from torch import Tensor, nn

from explorer.analysis.graph.reading import trace_module
from explorer.labs.claims.values import WORDS, Measured
from explorer.labs.mistakes import comparing
from explorer.labs.receptive_field import window_stack

_LAYER = re.compile(r"(?:conv (\d+)x\1|linear) (\d+)-(\d+)(?: groups (\d+))?")


def written_out(
    layers: Sequence[str], what: str = "weights", side: int = 1, times: int = 1, bias: bool = False
) -> Measured:
    """Weights or MACs of layers like "conv 3x3 64-128 groups 32" and "linear 384-96", built and counted.

    side: height and width of the map they make; times: how many such there are in parallel.
    """
    count = times * sum(_weights(each, bias) for each in layers)
    value = count if what == "weights" else count * side**2
    at = f" on a map of {side} × {side}" if what == "macs" else ""
    many = f"{times} times " if times > 1 else ""
    return Measured((float(value),), f"{WORDS.get(what, what)} of {many}{', '.join(layers)}{at}")


def for_one_more_place(layer: str, what: str) -> Measured:
    """What a layer gains, weights or MACs, by one more place on the map that it makes; traced."""
    built, inputs = _built(layer, bias=False)
    short, long = (trace_module(built, (1, inputs, 28, width), layer) for width in (28, 29))
    of = "params" if what == "weights" else what
    gained = (getattr(long, of) - getattr(short, of)) / 28
    return Measured((float(gained),), f"{what} that {layer} gains by one place more than 28 × 28")


def _weights(text: str, bias: bool) -> int:
    return sum(parameter.numel() for parameter in _built(text, bias)[0].parameters())


def _built(text: str, bias: bool) -> tuple[nn.Module, int]:
    """The layer that a text like "conv 3x3 64-128 groups 32" describes, on meta, and its input channels."""
    found = _LAYER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no layer; write 'conv 3x3 64-128 groups 32' or 'linear 384-96'")
    kernel, inputs, outputs, groups = found.groups()
    built: nn.Module = (
        nn.Conv2d(int(inputs), int(outputs), int(kernel), groups=int(groups or 1), bias=bias, device="meta")
        if kernel
        else nn.Linear(int(inputs), int(outputs), bias=bias, device="meta")
    )
    return built, int(inputs)


def stack(stacks: Sequence[str], what: str, channels: int = 1) -> Measured:
    """field (pixels) or weights of stacks of windows like "3,3,3"."""
    parsed = [window_stack.parse(each) for each in stacks]
    values = tuple(
        float(window_stack.field_size(each) if what == "field" else window_stack.weights(each, channels))
        for each in parsed
    )
    return Measured(values, f"{what} of the stacks {'; '.join(stacks)}, {channels} channels")


def output_side(side: int, kernel: int, stride: int, padding: int = 0) -> Measured:
    """Side of the map that such a convolution really makes of a picture."""
    layer = nn.Conv2d(1, 1, kernel, stride, padding, device="meta")
    made = layer(torch.empty(1, 1, side, side, device="meta"))
    text = f"{kernel} × {kernel} with stride {stride} and padding {padding} on {side} pixels"
    return Measured((float(made.shape[-1]),), text)


def compound(factors: Sequence[float], phi: float) -> Measured:
    """Each factor to the power phi."""
    return Measured(tuple(factor**phi for factor in factors), f"{list(factors)} to the power {phi:g}")


def compound_cost(depth: float, width: float, resolution: float) -> Measured:
    """What depth, width and resolution together multiply the MACs by: d w^2 r^2."""
    return Measured((depth * width**2 * resolution**2,), "depth × width² × resolution²")


def power(base: float, exponent: float, log10: bool = False) -> Measured:
    value = exponent * math.log10(base) if log10 else base**exponent
    return Measured((value,), f"{'log10 of ' if log10 else ''}{base:g} to the power {exponent:g}")


def number(values: Sequence[float], how: str) -> Measured:
    """A constant that another check is set against: a size of a data set, a formula's other side."""
    return Measured(tuple(map(float, values)), how)


def dense_connections(layers: int) -> Measured:
    """Connections of a dense block, counted one by one: layer l reads the block's input and all before it."""
    count = sum(1 for layer in range(layers) for _ in range(layer + 1))
    return Measured((float(count),), f"connections of {layers} layers, counted")


def label_targets(classes: int, smoothing: float, over_the_others: bool = False) -> Measured:
    """(target of the right class, of each other one) under label smoothing.

    As PyTorch's loss has them: its gradient by the logits is softmax - target. over_the_others: what is taken
    away goes to the other classes only.
    """
    if over_the_others:
        return Measured((1 - smoothing, smoothing / (classes - 1)), f"smoothing over {classes - 1} classes")
    logits = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        loss = nn.functional.cross_entropy(logits, torch.tensor([0]), label_smoothing=smoothing)
        (gradient,) = torch.autograd.grad(loss, logits)
    target: Tensor = logits.detach().softmax(1)[0] - gradient[0]
    return Measured((float(target[0]), float(target[1])), f"targets of PyTorch's loss, {classes} classes")


def optimiser_numbers(optimiser: str) -> Measured:
    """Numbers that an optimiser of torch keeps for each parameter after a step."""
    weight = nn.Parameter(torch.ones(64, 64))
    chosen = getattr(torch.optim, optimiser)([weight], lr=1e-3)
    weight.grad = torch.ones_like(weight)
    chosen.step()
    kept = sum(each.numel() for each in chosen.state[weight].values() if each.numel() > 1)
    return Measured((kept / weight.numel(),), f"state of torch.optim.{optimiser} after a step, by parameter")


def timm_names(pattern: str, pretrained: bool = False) -> Measured:
    """Names that the installed timm lists for a pattern."""
    count = len(timm.list_models(pattern, pretrained=pretrained))
    return Measured((float(count),), f"timm.list_models({pattern!r}) of timm {timm.__version__}")


def imagenet_constants() -> Measured:
    """Percent of timm's weights of 1,000 classes that want ImageNet's own mean and deviation."""
    asked = comparing.normalisations()
    own = asked[(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)]
    return Measured((100 * own / asked.total(),), f"{own} of {asked.total()} sets of weights in timm")
