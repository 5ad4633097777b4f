"""How one number comes from several places: a rule for each operation that gathers, by its ATen name.

A rule gets the call with its tensors, the index of the number among the result's dimensions, and the grid of
the layer; it computes in float64 from the numbers that the network had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, prod, sqrt
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.field.operands import named_dims, per_axis
from explorer.analysis.graph.operations import Op
from explorer.inference.arithmetic.steps import Attended, Patch, Pooled, Step, Weighed, figure
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
    patch = _patch(
        inputs[0, first : first + members], (corner[0], corner[1]), kernel, (dilation[0], dilation[1]), first
    )
    return _weighed(f"Convolution {kernel[0]} × {kernel[1]}", g, patch, _array(weight[output]))


def linear(g: Gather, index: Index) -> Step:
    """out[..., o] = sum over c of weight[o, c] * input[..., c]."""
    inputs, weight = g["input"], g["weight"]
    *place, output = index
    maps, corner = _laid_out(g, inputs, tuple(place))
    patch = replace(_flat(inputs[tuple(place)]), corner=corner, maps=maps)
    return _weighed("Linear layer at one place", g, patch, _flat(weight[output]).numbers)


def product(g: Gather, index: Index) -> Step | None:
    """out[..., i, j] = sum over k of left[..., i, k] * right[..., k, j]; attention, if left is shares."""
    left, right = g.call.reads[-2:]
    if min(left.ndim, right.ndim) < 2 or len(g.call.reads) > 2:
        return None
    *batch, row, column = index
    weights = left[(*broadcast(batch, left.shape[:-2]), row)]
    values = right[broadcast(batch, right.shape[:-2])][:, column]
    if weights.min() >= 0 and abs(weights.sum() - 1) < 1e-3:
        return _attended(g, _array(weights), _array(values), row, batch[-1] if batch else 0)
    return _weighed("Row times column", g, _flat(weights), _flat(values).numbers)


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
    patch = _patch(maps, corner, (size[0], size[1]), (dilation[0], dilation[1]), channel[-1])
    divisor = float(patch.inside.sum())
    if g.call.arguments.get("count_include_pad", False):  # but not what ceil_mode adds beyond it
        reaches = (
            min(c + k, n + p) - c for c, k, n, p in zip(corner, size, maps.shape[1:], padding, strict=True)
        )
        divisor = float(prod(reaches))
    divisor = float(g.call.arguments.get("divisor_override", None) or divisor)
    return _pooled(g, patch, divisor)


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
    size = (ends[0] - starts[0], ends[1] - starts[1])
    return _pooled(
        g, _patch(maps, (starts[0], starts[1]), size, (1, 1), channel[-1]), float(size[0] * size[1])
    )


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
    numbers = np.atleast_2d(_array(inputs[at]))
    numbers = numbers.reshape(1, -1, numbers.shape[-1])
    return _pooled(g, Patch(numbers, np.ones(numbers.shape[1:], bool)), float(numbers.size))


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


def _weighed(words: str, g: Gather, patch: Patch, kernel: np.ndarray) -> Weighed:
    value = float((patch.numbers * kernel).sum())
    count, places = len(kernel), kernel[0].size
    channels = f"{count} channels" if count > 1 else "1 channel"
    return Weighed(
        words=f"{words}, over {channels}",
        where=g.where,
        formula=f"sum of {f'{places} × ' if places > 1 else ''}{count} products = {figure(value)}",
        value=value,
        patch=patch,
        kernel=kernel,
    )


def _pooled(g: Gather, patch: Patch, divisor: float) -> Pooled:
    (numbers,), inside, taken = patch.numbers, patch.inside, None
    rows, columns = numbers.shape
    if "max" in g.op.name:
        place = int(np.where(inside, numbers, -np.inf).argmax())
        taken = divmod(place, columns)
        value = float(numbers[taken])
        words, formula = "Largest", f"the largest of {int(inside.sum())} numbers = {figure(value)}"
    else:
        total = float(numbers[inside].sum())
        value = total / divisor
        words, formula = "Mean", f"{figure(total)} ÷ {divisor:.0f} = {figure(value)}"
    return Pooled(
        words=f"{words} of {rows} × {columns}" if patch.maps is not None else f"{words} of {numbers.size}",
        where=g.where,
        formula=formula,
        value=value,
        patch=patch,
        taken=taken,
        divisor=divisor,
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
    maps: Tensor, corner: tuple[int, int], size: tuple[int, int], dilation: tuple[int, int], first: int
) -> Patch:
    """Of maps [C, H, W], with zeros outside of them."""
    rows, columns = (
        np.arange(count) * step + start for count, step, start in zip(size, dilation, corner, strict=True)
    )
    height, width = maps.shape[1:]
    inside = within(corner, size, dilation, (height, width))
    read = maps[:, rows.clip(0, height - 1)][:, :, columns.clip(0, width - 1)]
    return Patch(_array(read) * inside, inside, first, corner, dilation, maps.numpy())


def within(
    corner: tuple[int, int], size: tuple[int, int], dilation: tuple[int, int], shape: tuple[int, int]
) -> np.ndarray:
    """bool [kh, kw]: which places of a patch lie inside of a map of this shape."""

    def along(axis: int) -> np.ndarray:
        at = np.arange(size[axis]) * dilation[axis] + corner[axis]
        return (at >= 0) & (at < shape[axis])

    return np.outer(along(0), along(1))


def _flat(vector: Tensor) -> Patch:
    """[C] as a patch of one place."""
    return Patch(_array(vector)[:, None, None], np.ones((1, 1), bool))


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
