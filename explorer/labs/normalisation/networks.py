"""What one norm layer of a loaded network does with a picture, and how it melts into its convolution.

Every function needs the network to itself (an exclusive lease of `explorer.serving.pool`) and leaves it as
it was, hooks included.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from explorer.inference.preprocessing import prepare
from explorer.inference.training_mode import BATCH_NORM
from explorer.inference.watching import hooked
from explorer.labs.normalisation.tensors import standardise
from explorer.networks import Network

_AT_ONCE = 16  # pictures in one pass


def norm_layers(model: nn.Module) -> Mapping[str, str]:
    """Path -> "Batch norm" or "Layer norm", in the order of the modules; those with learnt gamma only."""
    kinds: dict[str, Any] = {"Batch norm": BATCH_NORM, "Layer norm": nn.LayerNorm}
    return MappingProxyType(
        {
            path: kind
            for path, module in model.named_modules()
            for kind, of in kinds.items()
            if isinstance(module, of) and getattr(module, "weight", None) is not None
        }
    )


@dataclass(frozen=True, eq=False)
class Fold:
    """A batch norm melted into the convolution before it. difference: the largest between the two outputs on
    the picture; scale: the largest output, to see it by. saved: parameters and buffers that are gone."""

    convolution: str
    difference: float
    scale: float
    saved: int


@dataclass(frozen=True, eq=False)
class Inside:
    """One norm layer at one picture; arrays are float32, channels first.

    before, normalised, after: [C, positions]; after gamma and beta, before any activation that the module
    has built in. grid: (h, w) of the positions, None where they are tokens that make no rectangle.
    mean, deviation: what was used, [C] for batch norm (the running ones) and [positions] for layer norm.
    gamma, beta: [C]. difference: largest between `after` and the layer's own answer. fold: None where
    no convolution stands directly before.
    """

    path: str
    kind: str
    before: np.ndarray
    normalised: np.ndarray
    after: np.ndarray
    grid: tuple[int, int] | None
    mean: np.ndarray
    deviation: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    eps: float
    difference: float
    fold: Fold | None


def folded(convolution: nn.Conv2d, norm: Any) -> tuple[Tensor, Tensor]:
    """(weight, bias) of the one convolution that does what both do in evaluation mode:
    w' = w gamma / s, b' = (b - mean) gamma / s + beta, with s = sqrt(variance + eps)."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = 0.0 if convolution.bias is None else convolution.bias
    return convolution.weight * scale.view(-1, 1, 1, 1), (bias - norm.running_mean) * scale + norm.bias


def inside(network: Network, image: Image.Image, path: str) -> Inside:
    """What the norm layer at `path` does with `image`. Raises ValueError where there is none."""
    kinds = norm_layers(network.model)
    if path not in kinds:
        raise ValueError(f"{path!r} is no norm layer of {network.weights.id}; try one of {', '.join(kinds)}")
    layer = network.model.get_submodule(path)
    with torch.inference_mode(False), torch.no_grad(), _watched(network.model, layer) as seen:
        network.model(ready(network, image))
    with torch.no_grad():
        if kinds[path] == "Batch norm":
            return _of_batch_norm(network, path, layer, seen)
        return _of_layer_norm(path, layer, seen)


def _of_batch_norm(network: Network, path: str, layer: Any, seen: _Seen) -> Inside:
    x = seen.input
    own = layer.running_mean is not None  # without running statistics the batch's own are used
    mean = layer.running_mean if own else x.transpose(0, 1).flatten(1).mean(1)
    variance = layer.running_var if own else x.transpose(0, 1).flatten(1).var(1, correction=0)
    shape = (1, -1, *(1 for _ in x.shape[2:]))
    deviation = torch.sqrt(variance + layer.eps)
    normalised = (x - mean.view(shape)) / deviation.view(shape)
    after = normalised * layer.weight.view(shape) + layer.bias.view(shape)
    return Inside(
        path=path,
        kind="Batch norm",
        before=_rows(x, 1),
        normalised=_rows(normalised, 1),
        after=_rows(after, 1),
        grid=(x.shape[2], x.shape[3]) if x.ndim == 4 else None,
        mean=_array(mean),
        deviation=_array(deviation),
        gamma=_array(layer.weight),
        beta=_array(layer.bias),
        eps=layer.eps,
        difference=_largest(_activated(layer, after) - seen.output),
        fold=_fold(network.model, layer, seen) if own else None,
    )


def _of_layer_norm(path: str, layer: Any, seen: _Seen) -> Inside:
    """The axis of the channels is the one by which gamma and beta give the layer's own answer."""
    beta = layer.bias if layer.bias is not None else torch.zeros_like(layer.weight)
    best: Inside | None = None
    for axis in {-1, 1}:
        x = seen.input.movedim(axis, -1)
        if x.shape[-1:] != layer.weight.shape:
            continue
        normalised = standardise(x, (-1,), layer.eps)
        after = normalised * layer.weight + beta
        difference = _largest(_activated(layer, after.movedim(-1, axis)) - seen.output)
        if best is None or difference < best.difference:
            best = Inside(
                path=path,
                kind="Layer norm",
                before=_rows(x, -1),
                normalised=_rows(normalised, -1),
                after=_rows(after, -1),
                grid=(x.shape[1], x.shape[2]) if x.ndim == 4 else None,
                mean=_array(x.mean(-1).flatten()),
                deviation=_array(torch.sqrt(x.var(-1, correction=0) + layer.eps).flatten()),
                gamma=_array(layer.weight),
                beta=_array(beta),
                eps=layer.eps,
                difference=difference,
                fold=None,
            )
    if best is None:
        raise ValueError(f"the layer norm {path!r} is not over one axis of channels")
    return best


def _fold(model: nn.Module, norm: Any, seen: _Seen) -> Fold | None:
    if seen.convolution is None:
        return None
    convolution, x = seen.convolution
    merged = copy.deepcopy(convolution)  # keeps its own way of padding, which timm's "same" has
    weight, bias = folded(convolution, norm)
    merged.weight, merged.bias = nn.Parameter(weight), nn.Parameter(bias)
    separate = F.batch_norm(
        seen.input, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
    )
    name = next(path for path, module in model.named_modules() if module is convolution)
    gone = 4 * norm.num_features - (convolution.out_channels if convolution.bias is None else 0)
    return Fold(name, _largest(merged(x) - separate), _largest(separate), gone)


def layer_inputs(network: Network, images: Sequence[Image.Image], path: str) -> Tensor:
    """What goes into the norm layer at `path` for these pictures: float32 on the CPU, [N, C, H, W].

    Tokens become a square map; those before the last square number of them (a class token) are left out. What
    has no positions any more is a map of one.
    """
    layer: Any = network.model.get_submodule(path)
    found: list[Tensor] = []

    def enough(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0])
        raise _EnoughError

    with torch.inference_mode(False), torch.no_grad(), hooked([layer], before=enough):
        for start in range(0, len(images), _AT_ONCE):
            with suppress(_EnoughError):  # what comes behind the layer is not asked for
                network.model(torch.cat([ready(network, image) for image in images[start:][:_AT_ONCE]]))
    x = torch.cat(found).float().cpu()
    channels = getattr(layer, "num_features", None) or layer.normalized_shape[0]
    if x.ndim == 4:
        return x if x.shape[1] == channels else x.movedim(-1, 1)
    tokens = x.unsqueeze(1) if x.ndim == 2 else x.flatten(1, -2)
    side = math.isqrt(tokens.shape[1])
    return tokens[:, -side * side :].transpose(1, 2).unflatten(2, (side, side))


class _EnoughError(Exception):
    """Ends a pass."""


@dataclass
class _Seen:
    """The last call of the watched layer: its input and output, and the convolution whose output that input
    is, with the convolution's own input."""

    input: Tensor
    output: Tensor
    convolution: tuple[nn.Conv2d, Tensor] | None


@contextmanager
def _watched(model: nn.Module, layer: nn.Module) -> Iterator[_Seen]:
    """Filled while the network runs. Of the convolutions the last is kept: what came earlier is let go."""
    seen = _Seen(torch.empty(0), torch.empty(0), None)
    last: tuple[Any, Tensor, Tensor, int] | None = None

    def convolution(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal last
        last = (module, inputs[0].clone(), output, output._version)

    def before(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.input, seen.convolution = inputs[0].clone(), None
        if last is not None:
            module, x, output, version = last
            # The same tensor and not written into since: an activation in place would stand between the two.
            if output is inputs[0] and output._version == version:
                seen.convolution = module, x

    def after(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.output = output.clone()

    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    with hooked(convolutions, after=convolution), hooked([layer], before=before, after=after):
        yield seen


def ready(network: Network, image: Image.Image) -> Tensor:
    """[1, C, H, W] on the network's device."""
    parameter = next(network.model.parameters(), None)
    x = prepare(image, network.input).x
    return x if parameter is None else x.to(parameter.device)


def _activated(layer: nn.Module, after: Tensor) -> Tensor:
    """timm's norms carry their activation with them."""
    act = getattr(layer, "act", None)
    return act(after) if isinstance(act, nn.Module) else after


def _rows(x: Tensor, axis: int) -> np.ndarray:
    """One picture's tensor -> [C, positions]."""
    return _array(x.movedim(axis, 0).flatten(1))


def _array(x: Tensor) -> np.ndarray:
    return x.detach().float().cpu().contiguous().numpy()


def _largest(x: Tensor) -> float:
    return float(x.abs().max()) if x.numel() else 0.0
