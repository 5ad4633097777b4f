"""Which layers of a network still have a place in the picture, and how their output becomes a map.

Found by looking at the shapes of one forward pass, not at the names of classes. The pass runs on a copy
of the network without weights (the meta device), so it costs no arithmetic and leaves the network alone.
"""

import copy
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.inference.watching import hooked

# Class, distillation and register tokens in front of the patches; DINOv3 has five, the most so far.
MOST_PREFIX_TOKENS = 8

Layout = Literal["channels first", "channels last", "tokens"]


@dataclass(frozen=True)
class SpatialLayer:
    """A layer whose output can be laid over the picture.

    path: as in `named_modules`. kind: its class name, for showing. prefix: tokens before the patches.
    weighted: it has parameters of its own, as against a container, an activation or a pooling.
    """

    path: str
    kind: str
    channels: int
    height: int
    width: int
    layout: Layout
    prefix: int = 0
    weighted: bool = False

    def to_map(self, output: Tensor) -> Tensor:
        """The layer's output, or a gradient of that shape, for one picture -> [C, h, w]."""
        if self.layout == "channels first":
            return output[0]
        if self.layout == "channels last":
            return output[0].permute(2, 0, 1)
        return output[0, self.prefix :].T.reshape(-1, self.height, self.width)

    def index(self, channel: int, row: int, column: int) -> tuple[int, ...]:
        """Where in the layer's output the number at a place of a map stands."""
        if self.layout == "channels first":
            return 0, channel, row, column
        if self.layout == "channels last":
            return 0, row, column, channel
        return 0, self.prefix + row * self.width + column, channel


def grown(values: Tensor, size: Sequence[int]) -> Tensor:
    """[h, w] -> [H, W], bilinear, the corners' pixels as large as the others."""
    return F.interpolate(values[None, None], size=tuple(size), mode="bilinear", align_corners=False)[0, 0]


@dataclass(frozen=True)
class SpatialLayers:
    """Every spatial layer of a network by path, in the order they finish, and the one to start with."""

    by_path: Mapping[str, SpatialLayer]
    default: str


_found: "weakref.WeakKeyDictionary[nn.Module, dict[tuple[int, ...], SpatialLayers]]" = (
    weakref.WeakKeyDictionary()
)
_found_lock = threading.Lock()


def spatial_layers(model: nn.Module, input_shape: tuple[int, ...]) -> SpatialLayers:
    """The layers of `model` that can be explained for an input of [C, H, W]; found once a model and shape.

    Raises ValueError where there is none, as in a network that looks at no picture.
    """
    with _found_lock:
        known = _found.setdefault(model, {})
    if input_shape not in known:  # found outside the lock: one network's search holds up no other
        known[input_shape] = _find(model, input_shape)
    return known[input_shape]


def _find(model: nn.Module, input_shape: tuple[int, ...]) -> SpatialLayers:
    skeleton = without_weights(model)
    try:
        outputs = _shapes(skeleton, torch.empty(1, *input_shape, device="meta"))
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        # A network that looks at its values while it runs cannot run without them.
        x = torch.zeros(1, *input_shape, device=next(model.parameters()).device)
        outputs = _shapes(model, x)
    by_path: dict[str, SpatialLayer] = {}
    grids: set[tuple[int, int]] = set()
    for path, shape in outputs:
        module = model.get_submodule(path)
        found = _place(shape, input_shape[1:], grids)
        if found is None:
            continue
        layout, channels, height, width, prefix = found
        grids.add((height, width))
        by_path.pop(path, None)  # a module that runs twice stands where it ran last
        weighted = next(module.parameters(recurse=False), None) is not None
        by_path[path] = SpatialLayer(
            path, type(module).__name__, channels, height, width, layout, prefix, weighted
        )
    if not by_path:
        raise ValueError(f"{type(model).__name__} has no layer with a place in the picture to explain")
    return SpatialLayers(MappingProxyType(by_path), _default(model, by_path))


def without_weights(model: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers are shapes only; deepcopy finds each already made in `memo`."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    skeleton = copy.deepcopy(model, memo)
    for module in skeleton.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
    return skeleton


def _shapes(model: nn.Module, x: Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """(path, output shape) of every module that makes a new tensor, in the order they finish."""
    paths = {module: path for path, module in model.named_modules() if path}
    shapes: list[tuple[str, tuple[int, ...]]] = []

    def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        handed_on = bool(inputs) and output is inputs[0]  # identity, dropout in eval mode
        if isinstance(output, Tensor) and not handed_on:
            shapes.append((paths[module], tuple(output.shape)))

    with torch.inference_mode(False), torch.no_grad(), hooked(paths, after=record):
        model(x)
    return shapes


def _place(
    shape: tuple[int, ...], picture: tuple[int, ...], grids: set[tuple[int, int]]
) -> tuple[Layout, int, int, int, int] | None:
    """(layout, C, h, w, prefix tokens) of an output, or None where it has lost its place."""
    if len(shape) == 4 and shape[0] == 1:
        if _fits(shape[2], shape[3], picture):
            return "channels first", shape[1], shape[2], shape[3], 0
        if _fits(shape[1], shape[2], picture):
            return "channels last", shape[3], shape[1], shape[2], 0
    if len(shape) == 3 and shape[0] == 1:
        # The patch embedding, a convolution as a rule, has shown the grid; else a square one is assumed.
        side = int(shape[1] ** 0.5)
        for height, width in [*sorted(grids, reverse=True), (side, side)]:
            prefix = shape[1] - height * width
            if 0 <= prefix <= MOST_PREFIX_TOKENS and _fits(height, width, picture):
                return "tokens", shape[2], height, width, prefix
    return None


def _fits(height: int, width: int, picture: tuple[int, ...]) -> bool:
    """More than one position, no finer than the picture, and of its proportions."""
    return (
        max(height, width) > 1
        and height <= picture[0]
        and width <= picture[1]
        and abs(height / picture[0] - width / picture[1]) < 0.1 * max(height / picture[0], width / picture[1])
    )


def _default(model: nn.Module, by_path: Mapping[str, SpatialLayer]) -> str:
    """The last feature map before the picture's places are pooled away.

    It is the last output at the resolution of the last weighted layer: a ResNet's last stage, VGG's last
    rectified convolution rather than the pooling after it. Where a class token collects the answer, no
    gradient reaches the patches after the last attention, so it is the norm at that block's entrance.
    """
    layers = list(by_path.values())
    last = next((layer for layer in reversed(layers) if layer.weighted), layers[-1])
    if last.prefix:
        blocks = [path for path in by_path if is_one_of_a_row(model, path)]
        if blocks:
            inside = [la for la in layers if la.path.startswith(f"{blocks[-1]}.") and la.weighted]
            return inside[0].path if inside else blocks[-1]
    size = (last.height, last.width)
    return [layer.path for layer in layers if (layer.height, layer.width) == size][-1]


def is_one_of_a_row(model: nn.Module, path: str) -> bool:
    """One of a row of like modules, such as a transformer's blocks."""
    row = model.get_submodule(path.rpartition(".")[0])
    return (
        isinstance(row, nn.Sequential | nn.ModuleList)
        and len({type(member) for member in row}) == 1
        and any(True for _ in row[0].children())
    )
