"""How one number comes from several places: a rule for each operation that gathers, by its ATen name.

A rule gets the call with its tensors, the index of the number among the result's dimensions, and the grid of
the layer; it computes in float64 from the numbers that the network had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod, sqrt
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.field.operands import named_dims, per_axis
from explorer.analysis.graph.operations import Op
from explorer.inference.arithmetic.steps import Attended, Pooled, Step, Weighed, figure
from explorer.inference.watching import KeptCall

Index = tuple[int, ...]


@dataclass(frozen=True)
class Gather:
    """One call that gathers. grid: (rows, columns) of the layer, prefix: tokens before its patches; by them
    tokens are laid out as a map."""

    op: Op
    call: KeptCall
    grid: tuple[int, int]
    prefix: int

    @property
    def where(self) -> str:
        return self.op.dotted or self.op.id

    def __getitem__(self, name: str) -> Any:
        return self.call.arguments[name]


Rule = Callable[[Gather, Index], Step | None]
"""None where this form of the operation is not known."""


def convolution(g: Gather, index: Index) -> Step | None:
    """out[o, y, x] = sum over c, i, j of weight[o, c, i, j] * input[c, y s - p + i d, x s - p + j d]."""
    inputs, weight = g["input"], g["weight"]
    if inputs.ndim != 4 or inputs.shape[0] != 1:
        return None
    _, output, *place = index
    kernel = (weight.shape[2], weight.shape[3])
    stride, dilation = (per_axis(_tuple(g[name]), 2) for name in ("stride", "dilation"))
    padding = g["padding"]
    if isinstance(padding, str):  # as torch does it: of an odd number the smaller half comes first
        whole = padding == "same"
        before = tuple(d * (k - 1) // 2 if whole else 0 for d, k in zip(dilation, kernel, strict=True))
    else:
        before = per_axis(_tuple(padding), 2)
    corner = tuple(p * s - b for p, s, b in zip(place, stride, before, strict=True))
    members = weight.shape[1]
    first = output // (weight.shape[0] // g["groups"]) * members
    maps = inputs[0, first : first + members]
    patch, inside = _patch(maps, (corner[0], corner[1]), kernel, (dilation[0], dilation[1]))
    size = f"{kernel[0]} × {kernel[1]}"
    return _weighed(
        f"Convolution {size}",
        g,
        patch,
        _array(weight[output]),
        inside,
        first,
        (corner[0], corner[1]),
        (dilation[0], dilation[1]),
        maps.numpy(),
    )


def linear(g: Gather, index: Index) -> Step:
    """out[..., o] = sum over c of weight[o, c] * input[..., c]."""
    inputs, weight = g["input"], g["weight"]
    *place, output = index
    maps, corner = _laid_out(g, inputs, tuple(place))
    vector = inputs[tuple(place)]
    return _weighed(
        "Linear layer at one place",
        g,
        _array(vector)[:, None, None],
        _array(weight[output])[:, None, None],
        np.ones((1, 1), bool),
        0,
        corner,
        (1, 1),
        maps,
    )


def product(g: Gather, index: Index) -> Step | None:
    """out[..., i, j] = sum over k of left[..., i, k] * right[..., k, j]; attention, if left is shares."""
    left, right = g.call.reads[-2:]
    if min(left.ndim, right.ndim) < 2 or len(g.call.reads) > 2:
        return None
    *batch, row, column = index
    weights = _array(left[(*broadcast(batch, left.shape[:-2]), row)])
    values = _array(right[broadcast(batch, right.shape[:-2])][:, column])
    if weights.min() >= 0 and abs(weights.sum() - 1) < 1e-3:
        return _attended(g, weights, values, row, batch[-1] if batch else 0)
    return _weighed(
        "Row times column",
        g,
        weights[:, None, None],
        values[:, None, None],
        np.ones((1, 1), bool),
        0,
        None,
        (1, 1),
        None,
    )


def attention(g: Gather, index: Index) -> Step | None:
    """out[h, t, c] = sum over u of softmax(q[h, t] . k[h, u] / sqrt(d) + mask)[u] * v[h, u, c]."""
    query, key, value, mask = g["query"], g["key"], g["value"], g["attn_mask"]
    if query.shape[-3] != key.shape[-3]:  # heads that share keys
        return None
    *batch, token, channel = index
    place = tuple(batch)
    scale = g["scale"] or 1 / sqrt(query.shape[-1])
    scores = key[place].double() @ query[(*place, token)].double() * scale
    if mask is not None:
        row = mask[(*broadcast(batch, mask.shape[:-2]), token if mask.shape[-2] > 1 else 0)]
        scores = scores.masked_fill(~row, -torch.inf) if row.dtype == torch.bool else scores + row.double()
    if g["is_causal"]:
        scores[token + 1 :] = -torch.inf
    weights = torch.softmax(scores, 0).numpy()
    return _attended(g, weights, _array(value[place][:, channel]), token, batch[-1] if batch else 0)


def pooling(g: Gather, index: Index) -> Step | None:
    """The largest, or the mean, of a window [kh, kw] of one channel."""
    inputs = g["self"]
    if inputs.ndim < 3:
        return None
    *channel, row, column = index
    size = per_axis(_tuple(g["kernel_size"]), 2)
    stride = per_axis(_tuple(g["stride"]) or size, 2)
    padding = per_axis(_tuple(g["padding"]), 2)
    dilation = per_axis(_tuple(g.call.arguments.get("dilation", 1)), 2)
    corner = (row * stride[0] - padding[0], column * stride[1] - padding[1])
    maps = inputs[tuple(channel)][None]
    patch, inside = _patch(maps, corner, (size[0], size[1]), (dilation[0], dilation[1]))
    divisor = float(inside.sum())
    if g.call.arguments.get("count_include_pad", False):  # but not what ceil_mode adds beyond it
        reaches = (
            min(c + k, n + p) - c for c, k, n, p in zip(corner, size, maps.shape[1:], padding, strict=True)
        )
        divisor = float(prod(reaches))
    divisor = float(g.call.arguments.get("divisor_override", None) or divisor)
    return _pooled(g, patch[0], inside, divisor, channel[-1], corner, (dilation[0], dilation[1]), maps)


def adaptive_pooling(g: Gather, index: Index) -> Step | None:
    """Window i of n over a side of N places: from floor(i N / n) to ceil((i + 1) N / n)."""
    inputs = g["self"]
    *channel, row, column = index
    maps = inputs[tuple(channel)][None]
    counts = g.op.output_shape[-2:]
    starts, ends = zip(
        *(
            (at * side // n, ceil((at + 1) * side / n))
            for at, side, n in zip((row, column), maps.shape[1:], counts, strict=True)
        ),
        strict=True,
    )
    patch = _array(maps[0, starts[0] : ends[0], starts[1] : ends[1]])
    inside = np.ones(patch.shape, bool)
    return _pooled(g, patch, inside, float(patch.size), channel[-1], (starts[0], starts[1]), (1, 1), maps)


def mean(g: Gather, index: Index) -> Step | None:
    """Of all numbers along some dimensions."""
    inputs = g["self"]
    if "dim" not in g.call.arguments:
        return None
    gone = named_dims(g.op, inputs.ndim)
    places = iter(index)
    if g["keepdim"]:
        at = tuple(slice(None) if d in gone else i for d, i in enumerate(index))
    else:
        at = tuple(slice(None) if d in gone else next(places) for d in range(inputs.ndim))
    patch = np.atleast_2d(_array(inputs[at]))
    patch = patch.reshape(-1, patch.shape[-1])
    return _pooled(g, patch, np.ones(patch.shape, bool), float(patch.size), -1, None, (1, 1), None)


GATHERING: Mapping[str, Rule] = MappingProxyType(
    {
        "conv2d": convolution,
        "linear": linear,
        "matmul": product,
        "bmm": product,
        "scaled_dot_product_attention": attention,
        "max_pool2d": pooling,
        "max_pool2d_with_indices": pooling,
        "avg_pool2d": pooling,
        "adaptive_avg_pool2d": adaptive_pooling,
        "adaptive_max_pool2d": adaptive_pooling,
        "mean": mean,
    }
)


def _weighed(
    words: str,
    g: Gather,
    patch: np.ndarray,
    kernel: np.ndarray,
    inside: np.ndarray,
    first: int,
    corner: tuple[int, int] | None,
    dilation: tuple[int, int],
    inputs: np.ndarray | None,
) -> Weighed:
    value = float((patch * kernel).sum())
    channels = f"{len(patch)} channels" if len(patch) > 1 else "1 channel"
    places = f"{patch.shape[1] * patch.shape[2]} × " if patch[0].size > 1 else ""
    return Weighed(
        words=f"{words}, over {channels}",
        where=g.where,
        formula=f"sum of {places}{len(patch)} products = {figure(value)}",
        value=value,
        patch=patch,
        kernel=kernel,
        inside=inside,
        first=first,
        corner=corner,
        dilation=dilation,
        inputs=inputs,
    )


def _pooled(
    g: Gather,
    patch: np.ndarray,
    inside: np.ndarray,
    divisor: float,
    channel: int,
    corner: tuple[int, int] | None,
    dilation: tuple[int, int],
    maps: Tensor | None,
) -> Pooled:
    taken = None
    if "max" in g.op.name:
        place = int(np.where(inside, patch, -np.inf).argmax())
        taken = divmod(place, patch.shape[1])
        value = float(patch[taken])
        words, formula = "Largest", f"the largest of {int(inside.sum())} numbers = {figure(value)}"
    else:
        total = float(patch[inside].sum())
        value = total / divisor
        words, formula = "Mean", f"{figure(total)} ÷ {divisor:.0f} = {figure(value)}"
    rows, columns = patch.shape
    return Pooled(
        words=f"{words} of {rows} × {columns}" if maps is not None else f"{words} of {patch.size}",
        where=g.where,
        formula=formula,
        value=value,
        patch=patch,
        inside=inside,
        taken=taken,
        divisor=divisor,
        channel=channel,
        corner=corner,
        dilation=dilation,
        inputs=None if maps is None else maps.numpy(),
    )


def _attended(g: Gather, weights: np.ndarray, values: np.ndarray, token: int, head: int) -> Attended:
    value = float((weights * values).sum())
    count, (rows, columns) = len(weights), g.grid
    whole = count == g.prefix + rows * columns
    side = int(sqrt(count))
    grid, prefix = (g.grid, g.prefix) if whole else ((side, side), count - side * side)
    return Attended(
        words=f"Attention, head {head}, over {count} places",
        where=g.where,
        formula=f"sum of {count} × (attention × value) = {figure(value)}",
        value=value,
        weights=weights,
        values=values,
        token=token,
        head=head,
        grid=grid,
        prefix=prefix,
        whole=whole,
    )


def _patch(
    maps: Tensor, corner: tuple[int, int], size: tuple[int, int], dilation: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """([C, kh, kw] of maps [C, H, W] with zeros outside of them, where it lies inside of them [kh, kw])."""
    rows, columns = (
        np.arange(count) * step + start for count, step, start in zip(size, dilation, corner, strict=True)
    )
    height, width = maps.shape[1:]
    inside = np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    read = maps[:, rows.clip(0, height - 1)][:, :, columns.clip(0, width - 1)]
    return _array(read) * inside, inside


def _laid_out(g: Gather, inputs: Tensor, place: Index) -> tuple[np.ndarray | None, tuple[int, int] | None]:
    """(tokens, or a map with channels last, as [C, H, W]; where in it `place` is), (None, None) of others."""
    rows, columns = g.grid
    if inputs.ndim == 4 and inputs.shape[:3] == (1, rows, columns):
        return inputs[0].permute(2, 0, 1).numpy(), (place[1], place[2])
    if inputs.ndim == 3 and inputs.shape[:2] == (1, g.prefix + rows * columns) and place[1] >= g.prefix:
        maps = inputs[0, g.prefix :].T.reshape(-1, rows, columns)
        return maps.numpy(), divmod(place[1] - g.prefix, columns)
    return None, None


def broadcast(index: Sequence[int], shape: Sequence[int]) -> Index:
    """The same place in a tensor that is broadcast to the result's shape."""
    kept = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else at for at, size in zip(kept, shape, strict=True))


def _tuple(setting: Any) -> Any:
    return tuple(setting) if isinstance(setting, list) else setting


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.double().numpy())
