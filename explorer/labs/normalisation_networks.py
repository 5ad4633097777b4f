"""Normalisation inside a loaded network: what a norm layer does with a picture, what company does to an answer.

Every function needs the network to itself (an exclusive lease of `explorer.serving.pool`) and leaves it as
it was: hooks are gone, and what must run in training mode runs on a copy.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from explorer.inference.preprocessing import prepare
from explorer.labs.normalisation import standardise
from explorer.networks import Network

BATCH_NORM = nn.modules.batchnorm._BatchNorm
DROPOUT = nn.modules.dropout._DropoutNd


def norm_layers(model: nn.Module) -> Mapping[str, str]:
    """Path -> "Batch norm" or "Layer norm", in the order of the modules; those with learnt gamma only."""
    kinds = {"Batch norm": BATCH_NORM, "Layer norm": nn.LayerNorm}
    return MappingProxyType(
        {
            path: kind
            for path, module in model.named_modules()
            for kind, of in kinds.items()
            if isinstance(module, of) and module.weight is not None
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


def folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
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
        network.model(_ready(network, image))
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
        path,
        "Batch norm",
        *(_rows(each, 1) for each in (x, normalised, after)),
        tuple(x.shape[2:]) if x.ndim == 4 else None,
        *(_array(each) for each in (mean, deviation, layer.weight, layer.bias)),
        layer.eps,
        _largest(_activated(layer, after) - seen.output),
        _fold(network.model, layer, seen) if own else None,
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
                path,
                "Layer norm",
                *(_rows(each, -1) for each in (x, normalised, after)),
                tuple(x.shape[1:3]) if x.ndim == 4 else None,
                _array(x.mean(-1).flatten()),
                _array(torch.sqrt(x.var(-1, correction=0) + layer.eps).flatten()),
                *(_array(each) for each in (layer.weight, beta)),
                layer.eps,
                difference,
                None,
            )
    if best is None:
        raise ValueError(f"the layer norm {path!r} is not over one axis of channels")
    return best


def _fold(model: nn.Module, norm: nn.BatchNorm2d, seen: _Seen) -> Fold | None:
    found = next(((m, x) for m, x, y in seen.convolutions if y is seen.input), None)
    if found is None:
        return None
    convolution, x = found
    merged = copy.deepcopy(convolution)  # keeps its own way of padding, which timm's "same" has
    weight, bias = folded(convolution, norm)
    merged.weight, merged.bias = nn.Parameter(weight), nn.Parameter(bias)
    separate = F.batch_norm(
        seen.input, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
    )
    name = next(path for path, module in model.named_modules() if module is convolution)
    gone = 4 * norm.num_features - (convolution.out_channels if convolution.bias is None else 0)
    return Fold(name, _largest(merged(x) - separate), _largest(separate), gone)


@dataclass(frozen=True, eq=False)
class Reply:
    """The network's answer to the one picture in one situation.

    mode: "eval" or "train". batch: pictures that went in together. label, probability: the likeliest class.
    expected: probability of the class that evaluation mode names. refused: PyTorch's words where it would
    not compute.
    """

    name: str
    mode: str
    batch: int
    label: str
    probability: float
    expected: float
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Drift:
    """The same picture through the same network. expected: the class that evaluation mode names. layers:
    batch norms in the network. melted: those of them that were folded into their convolutions before the
    weights were published, and since then change nothing in evaluation mode but add beta. dropouts: layers
    that are random in training mode. replies: evaluation mode, training mode in each company, evaluation mode
    once more, after the running statistics have been overwritten."""

    expected: str
    layers: int
    melted: int
    dropouts: int
    replies: tuple[Reply, ...]


def drift(
    network: Network,
    image: Image.Image,
    companies: Mapping[str, Sequence[Image.Image]],
    *,
    dropout: bool = False,
    seed: int = 0,
) -> Drift:
    """What `image` is taken for, alone and in company, when `eval()` has been forgotten.

    companies: name -> the other pictures of the batch. dropout: whether dropout is left on as well; else only
    the batch norms are in training mode. All on a copy: the loaded network is not touched.
    """
    model = copy.deepcopy(network.model).eval()
    x = _ready(network, image)
    with torch.inference_mode(False), torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        calm = _probabilities(model, x)
        best = int(calm.argmax())
        replies = [_reply(network, "eval()", "eval", 1, calm, best)]
        _train(model, dropout)
        for name, others in companies.items():
            batch = torch.cat([x, *(_ready(network, other) for other in others)])
            try:
                found = _probabilities(model, batch)
            except ValueError as error:  # a batch norm that sees one number a channel has no variance
                replies.append(
                    Reply(name, "train", len(batch), "", math.nan, math.nan, str(error).partition(",")[0])
                )
                continue
            replies.append(_reply(network, name, "train", len(batch), found, best))
        model.eval()
        replies.append(_reply(network, "eval() afterwards", "eval", 1, _probabilities(model, x), best))
    norms = [module for module in network.model.modules() if isinstance(module, BATCH_NORM)]
    return Drift(
        _label(network, best),
        len(norms),
        sum(_melted(norm) for norm in norms),
        sum(isinstance(module, DROPOUT) and module.p > 0 for module in model.modules()),
        tuple(replies),
    )


def _melted(norm: Any) -> bool:
    """Running mean 0 and variance 1 in every channel: no training leaves them so."""
    mean, variance = norm.running_mean, norm.running_var
    return mean is not None and not mean.any() and bool((variance == 1).all())


def cut_outs(image: Image.Image, count: int, seed: int = 0) -> tuple[Image.Image, ...]:
    """`count` different pictures from one: random squares of 60 to 100 % of its shorter side."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        side = max(1, int(min(image.size) * rng.uniform(0.6, 1.0)))
        left, top = (int(rng.integers(length - side + 1)) for length in image.size)
        found.append(image.crop((left, top, left + side, top + side)))
    return tuple(found)


def _train(model: nn.Module, dropout: bool) -> None:
    for module in model.modules():
        if isinstance(module, BATCH_NORM) or (dropout and isinstance(module, DROPOUT)):
            module.train()


def layer_inputs(network: Network, images: Sequence[Image.Image], path: str) -> Tensor:
    """What goes into the layer at `path` for these pictures, float32 on the CPU, [N, C, H, W] where the layer
    sees a map, channels last included. Raises ValueError where it does not."""
    layer = network.model.get_submodule(path)
    with torch.inference_mode(False), torch.no_grad(), _watched(network.model, layer) as seen:
        network.model(torch.cat([_ready(network, image) for image in images]))
    x = seen.input.float().cpu()
    if x.ndim != 4:
        raise ValueError(f"{path!r} does not work on a map of [N, C, H, W] but on {list(x.shape)}")
    channels = getattr(layer, "num_features", None) or layer.normalized_shape[0]
    return x if x.shape[1] == channels else x.movedim(-1, 1)


@dataclass
class _Seen:
    """Filled while the hooks are on: input and output of the watched layer, and every convolution's."""

    convolutions: list[tuple[nn.Conv2d, Tensor, Tensor]]
    input: Tensor
    output: Tensor


@contextmanager
def _watched(model: nn.Module, layer: nn.Module) -> Iterator[_Seen]:
    """Keeps the last convolution before the layer only: what came earlier is let go."""
    seen = _Seen([], torch.empty(0), torch.empty(0))
    done: list[bool] = []

    def convolution(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if not done:
            seen.convolutions[:] = [(module, inputs[0], output)]  # type: ignore[list-item]

    def before(_module: nn.Module, inputs: tuple) -> None:
        done.append(True)
        seen.input = inputs[0]

    def after(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        seen.output = output

    handles = [
        module.register_forward_hook(convolution)
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
    ]
    handles += [layer.register_forward_pre_hook(before), layer.register_forward_hook(after)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _ready(network: Network, image: Image.Image) -> Tensor:
    parameter = next(network.model.parameters(), None)
    x = prepare(image, network.input).x
    return x if parameter is None else x.to(parameter.device)


def _probabilities(model: nn.Module, x: Tensor) -> Tensor:
    return model(x)[0].float().softmax(0).cpu()


def _reply(network: Network, name: str, mode: str, batch: int, found: Tensor, expected: int) -> Reply:
    best = int(found.argmax())
    return Reply(name, mode, batch, _label(network, best), float(found[best]), float(found[expected]))


def _label(network: Network, index: int) -> str:
    return network.labels[index] if index < len(network.labels) else f"output {index}"


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
