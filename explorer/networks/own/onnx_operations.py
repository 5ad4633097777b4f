"""What ONNX's operations are in torch: a table from their names to functions of (attributes, inputs).

The set and its meanings: https://onnx.ai/onnx/operators. Where an operation is more general than torch's, the
cases that exporters write are here, and every other one raises NotHere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Attributes = Mapping[str, Any]
Inputs = Sequence[Tensor]  # in fact with None for one that is left out
_MOST_CONSTANTS = 20_000_000  # elements that a shape of the file's may ask for


class NotHere(ValueError):  # noqa: N818 - it is what a reader is told
    """An operation, or a setting of one, that is not in the table; the end of a sentence."""


def _numbers(tensor: Any) -> list[Any]:
    """Of a constant. Raises NotHere where it is computed from the picture."""
    if tensor.is_meta:
        raise NotHere("sizes that are computed from the picture's values")
    return list(tensor.reshape(-1).tolist())


def _spread(value: Any, count: int, default: int) -> list[int]:
    return list(value) if value is not None else [default] * count


def _pads(a: Attributes, x: Tensor, kernel: Sequence[int]) -> list[int]:
    """All begins, then all ends. Where an axis has two that differ, x is padded beforehand: torch cannot."""
    dims, how = len(kernel), a.get("auto_pad", "NOTSET")
    pads = _spread(a.get("pads"), 2 * dims, 0)
    if how in ("SAME_UPPER", "SAME_LOWER"):
        strides, dilations = _spread(a.get("strides"), dims, 1), _spread(a.get("dilations"), dims, 1)
        begins, ends = [], []
        for side, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True):
            whole = max((-(-side // s) - 1) * s + d * (k - 1) + 1 - side, 0)
            less, more = whole // 2, whole - whole // 2
            begins.append(less if how == "SAME_UPPER" else more)
            ends.append(more if how == "SAME_UPPER" else less)
        pads = [*begins, *ends]
    return pads


def _uneven(pads: Sequence[int]) -> list[int]:
    """ONNX's pads, all begins and then all ends, in torch's order: pairs, the last axis first."""
    half = len(pads) // 2
    return [each for axis in reversed(range(half)) for each in (pads[axis], pads[half + axis])]


def _conv(a: Attributes, inputs: Inputs) -> Tensor:
    x, weight, *rest = inputs
    dims = weight.ndim - 2
    pads = _pads(a, x, weight.shape[2:])
    if pads[:dims] != pads[dims:]:
        x, pads = F.pad(x, _uneven(pads)), [0] * 2 * dims
    function = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]
    strides, dilations = _spread(a.get("strides"), dims, 1), _spread(a.get("dilations"), dims, 1)
    bias = rest[0] if rest else None
    return function(x, weight, bias, strides, pads[:dims], dilations, a.get("group", 1))


def _conv_transpose(a: Attributes, inputs: Inputs) -> Tensor:
    x, weight, *rest = inputs
    dims = weight.ndim - 2
    pads = _spread(a.get("pads"), 2 * dims, 0)
    if pads[:dims] != pads[dims:] or a.get("auto_pad", "NOTSET") != "NOTSET" or a.get("output_shape"):
        raise NotHere("a transposed convolution padded unevenly")
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[dims - 1]
    return function(
        x,
        weight,
        rest[0] if rest else None,
        _spread(a.get("strides"), dims, 1),
        pads[:dims],
        _spread(a.get("output_padding"), dims, 0),
        a.get("group", 1),
        _spread(a.get("dilations"), dims, 1),
    )


def _max_pool(a: Attributes, inputs: Inputs) -> Tensor:
    kernel = list(a["kernel_shape"])
    x, pads = inputs[0], _pads(a, inputs[0], kernel)
    dims = len(kernel)
    if pads[:dims] != pads[dims:]:
        x, pads = F.pad(x, _uneven(pads), value=float("-inf")), [0] * 2 * dims
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[dims - 1]
    strides, dilations = _spread(a.get("strides"), dims, 1), _spread(a.get("dilations"), dims, 1)
    found: Tensor = function(x, kernel, strides, pads[:dims], dilations, bool(a.get("ceil_mode", 0)))
    return found


def _average_pool(a: Attributes, inputs: Inputs) -> Tensor:
    kernel = list(a["kernel_shape"])
    x, pads = inputs[0], _pads(a, inputs[0], kernel)
    dims, counts_padding = len(kernel), bool(a.get("count_include_pad", 0))
    if pads[:dims] != pads[dims:]:
        if not counts_padding:
            raise NotHere("an average over an uneven edge")
        x, pads = F.pad(x, _uneven(pads)), [0] * 2 * dims
    if any(each != 1 for each in _spread(a.get("dilations"), dims, 1)):
        raise NotHere("an average with gaps")
    function = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[dims - 1]
    strides, ceil = _spread(a.get("strides"), dims, 1), bool(a.get("ceil_mode", 0))
    return function(x, kernel, strides, pads[:dims], ceil, counts_padding)


def _global(pool: Sequence[Callable[..., Tensor]]) -> Callable[[Attributes, Inputs], Tensor]:
    return lambda _, inputs: pool[inputs[0].ndim - 3](inputs[0], 1)


def _batch_norm(a: Attributes, inputs: Inputs) -> Tensor:
    x, weight, bias, mean, variance = inputs
    return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, a.get("epsilon", 1e-5))


def _layer_norm(a: Attributes, inputs: Inputs) -> Tensor:
    x, weight, *rest = inputs
    axis = a.get("axis", -1) % x.ndim
    return F.layer_norm(x, x.shape[axis:], weight, rest[0] if rest else None, a.get("epsilon", 1e-5))


def _group_norm(a: Attributes, inputs: Inputs) -> Tensor:
    return F.group_norm(inputs[0], a["num_groups"], inputs[1], inputs[2], a.get("epsilon", 1e-5))


def _instance_norm(a: Attributes, inputs: Inputs) -> Tensor:
    return F.instance_norm(inputs[0], weight=inputs[1], bias=inputs[2], eps=a.get("epsilon", 1e-5))


def _local_response_norm(a: Attributes, inputs: Inputs) -> Tensor:
    return F.local_response_norm(
        inputs[0], a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0)
    )


def _gemm(a: Attributes, inputs: Inputs) -> Tensor:
    x, weight, *rest = inputs
    bias = rest[0] if rest else None
    if a.get("alpha", 1.0) != 1 or (bias is not None and a.get("beta", 1.0) != 1):
        raise NotHere("a matrix product with a factor")
    x = x.t() if a.get("transA") else x
    if a.get("transB"):
        return F.linear(x, weight, bias)
    return torch.mm(x, weight) if bias is None else torch.addmm(bias, x, weight)


def _clip(a: Attributes, inputs: Inputs) -> Tensor:
    x, *bounds = inputs
    low, high = (
        _numbers(given)[0] if given is not None else a.get(name)
        for given, name in zip([*bounds, None, None][:2], ("min", "max"), strict=True)
    )
    if (low, high) == (0.0, 6.0):
        return F.relu6(x)
    return torch.clamp(x, low, high)


def _gelu(a: Attributes, inputs: Inputs) -> Tensor:
    return F.gelu(inputs[0], approximate=a.get("approximate", "none"))


def _hard_sigmoid(a: Attributes, inputs: Inputs) -> Tensor:
    alpha, beta = a.get("alpha", 0.2), a.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return F.hardsigmoid(inputs[0])
    return torch.clamp(inputs[0] * alpha + beta, 0, 1)


def _prelu(_: Attributes, inputs: Inputs) -> Tensor:
    x, slope = inputs
    return F.prelu(x, slope.reshape(-1))


def _softmax(function: Callable[..., Tensor]) -> Callable[[Attributes, Inputs], Tensor]:
    return lambda a, inputs: function(inputs[0], a.get("axis", -1))


def _reshape(a: Attributes, inputs: Inputs) -> Tensor:
    x, wanted = inputs
    sides = [
        x.shape[axis] if side == 0 and not a.get("allowzero") else side
        for axis, side in enumerate(_numbers(wanted))
    ]
    return x.reshape(sides)


def _flatten(a: Attributes, inputs: Inputs) -> Tensor:
    x, axis = inputs[0], a.get("axis", 1) % (inputs[0].ndim + 1)
    if axis == 1:
        return torch.flatten(x, 1)
    return x.reshape(prod(x.shape[:axis]), -1)


def _transpose(a: Attributes, inputs: Inputs) -> Tensor:
    return inputs[0].permute(a.get("perm") or list(reversed(range(inputs[0].ndim))))


def _axes(a: Attributes, inputs: Inputs, at: int = 1) -> list[int]:
    """Since version 13 an input, before an attribute; [] where neither says any."""
    given = inputs[at] if len(inputs) > at else None
    return _numbers(given) if given is not None else list(a.get("axes") or ())


def _squeeze(a: Attributes, inputs: Inputs) -> Tensor:
    axes = _axes(a, inputs)
    return inputs[0].squeeze(tuple(axes)) if axes else inputs[0].squeeze()


def _unsqueeze(a: Attributes, inputs: Inputs) -> Tensor:
    x, axes = inputs[0], _axes(a, inputs)
    for axis in sorted(each % (x.ndim + len(axes)) for each in axes):
        x = x.unsqueeze(axis)
    return x


def _slice(a: Attributes, inputs: Inputs) -> Tensor:
    x, *rest = inputs
    if not rest:
        starts, ends, axes, steps = a["starts"], a["ends"], a.get("axes"), None
    else:
        starts, ends, axes, steps = (
            _numbers(each) if each is not None else None for each in (*rest, None, None, None)[:4]
        )
    axes = axes if axes is not None else range(len(starts))
    for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(starts), strict=True):
        if step < 0:
            if step != -1 or start not in (-1, x.shape[axis] - 1):
                raise NotHere("a slice that runs backwards")
            x = x.flip(axis)
            continue
        size = x.shape[axis]
        x = x[(slice(None),) * (axis % x.ndim) + (slice(max(start, -size), min(end, size), step),)]
    return x


def _split(a: Attributes, inputs: Inputs) -> tuple[Tensor, ...]:
    x, axis = inputs[0], a.get("axis", 0)
    sizes = _numbers(inputs[1]) if len(inputs) > 1 and inputs[1] is not None else a.get("split")
    if sizes is None:
        return tuple(torch.chunk(x, a.get("num_outputs") or a["outputs"], axis))
    return tuple(torch.split(x, list(sizes), axis))


def _gather(a: Attributes, inputs: Inputs) -> Tensor:
    x, index = inputs
    axis = a.get("axis", 0) % x.ndim
    if index.is_meta:
        raise NotHere("a choice by the picture's values")
    if index.ndim == 0:
        return x.select(axis, int(index))
    found = x.index_select(axis, index.reshape(-1).remainder(x.shape[axis]).to(x.device))
    return found if index.ndim == 1 else found.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def _pad(a: Attributes, inputs: Inputs) -> Tensor:
    x, pads = inputs[0], _numbers(inputs[1]) if len(inputs) > 1 else list(a["pads"])
    value = inputs[2] if len(inputs) > 2 else None
    fill = _numbers(value)[0] if value is not None else a.get("value", 0.0)
    if axes := _axes(a, inputs, 3):
        whole = [0] * 2 * x.ndim
        for place, axis in enumerate(axes):
            whole[axis % x.ndim] = pads[place]
            whole[axis % x.ndim + x.ndim] = pads[place + len(axes)]
        pads = whole
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(a.get("mode", "constant"))
    if mode is None:
        raise NotHere(f"padding of the kind {a['mode']!r}")
    order = _uneven(pads)
    if mode == "constant":
        return F.pad(x, order, value=fill)
    return F.pad(x, order[: 2 * (x.ndim - 2)], mode=mode)


def _resize(a: Attributes, inputs: Inputs) -> Tensor:
    x = inputs[0]
    scales = inputs[2] if len(inputs) > 2 else inputs[1] if len(inputs) == 2 else None
    sizes = inputs[3] if len(inputs) > 3 else None
    if sizes is not None:
        size = _numbers(sizes)[2:]
    elif scales is not None:
        size = [int(side * by) for side, by in zip(x.shape, _numbers(scales), strict=True)][2:]
    else:
        raise NotHere("a resizing without a size")
    kind, mode = a.get("mode", "nearest"), {3: "linear", 4: "bilinear"}.get(x.ndim)
    if kind == "nearest":
        return F.interpolate(x, size, mode="nearest")
    if mode is None or kind not in ("linear", "cubic"):
        raise NotHere(f"resizing by {kind!r} of {x.ndim - 2} dimensions")
    corners = a.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    return F.interpolate(x, size, mode="bicubic" if kind == "cubic" else mode, align_corners=corners)


def _reduced(function: Callable[..., Tensor]) -> Callable[[Attributes, Inputs], Tensor]:
    def reduce(a: Attributes, inputs: Inputs) -> Tensor:
        axes = _axes(a, inputs)
        if not axes and a.get("noop_with_empty_axes"):
            return inputs[0]
        axes = axes or list(range(inputs[0].ndim))
        return function(inputs[0], axes, bool(a.get("keepdims", 1)))

    return reduce


def _folded(function: Callable[..., Tensor]) -> Callable[[Attributes, Inputs], Tensor]:
    """Of any number of inputs, one after the other."""

    def fold(_: Attributes, inputs: Inputs) -> Tensor:
        found, *rest = inputs
        for each in rest:
            found = function(found, each)
        return found

    return fold


def _cast(a: Attributes, inputs: Inputs) -> Tensor:
    kinds = {1: torch.float32, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16}
    kinds |= {2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64, 9: torch.bool}
    if a["to"] not in kinds:
        raise NotHere("a kind of number that torch has not")
    return inputs[0].to(kinds[a["to"]])


def _within_bounds(sides: Sequence[int]) -> list[int]:
    if prod(sides) > _MOST_CONSTANTS or min(sides, default=0) < 0:
        raise NotHere(f"a constant of {prod(sides):,} elements")
    return list(sides)


def _constant_of_shape(a: Attributes, inputs: Inputs) -> Tensor:
    value = a.get("value")
    fill = value if value is not None else torch.zeros(1)
    return fill.reshape(()).expand(_within_bounds(_numbers(inputs[0])))


def _expand(_: Attributes, inputs: Inputs) -> Tensor:
    x, wanted = inputs
    if not x.is_meta:
        _within_bounds([max(1, each) for each in _numbers(wanted)])
    return x.expand(torch.broadcast_shapes(x.shape, tuple(_numbers(wanted))))


def _tile(_: Attributes, inputs: Inputs) -> Tensor:
    x, times = inputs[0], _numbers(inputs[1])
    if not x.is_meta:
        _within_bounds([side * by for side, by in zip(x.shape, times, strict=True)])
    return x.repeat(times)


def _range(_: Attributes, inputs: Inputs) -> Tensor:
    start, limit, delta = (_numbers(each)[0] for each in inputs)
    if not delta or abs((limit - start) / delta) > _MOST_CONSTANTS:
        raise NotHere("a constant without an end")
    return torch.arange(start, limit, delta, device="cpu")


def _shape(a: Attributes, inputs: Inputs) -> Tensor:
    sides = list(inputs[0].shape)
    return torch.tensor(sides[a.get("start", 0) : a.get("end", len(sides))])


def _depth_to_space(a: Attributes, inputs: Inputs) -> Tensor:
    x, b = inputs[0], a["blocksize"]
    if a.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, b)
    N, C, H, W = x.shape
    return x.reshape(N, b, b, C // b**2, H, W).permute(0, 3, 4, 1, 5, 2).reshape(N, C // b**2, H * b, W * b)


def _space_to_depth(a: Attributes, inputs: Inputs) -> Tensor:
    x, b = inputs[0], a["blocksize"]
    N, C, H, W = x.shape
    return x.reshape(N, C, H // b, b, W // b, b).permute(0, 3, 5, 1, 2, 4).reshape(N, -1, H // b, W // b)


def _div(_: Attributes, inputs: Inputs) -> Tensor:
    whole = not inputs[0].is_floating_point() and not inputs[1].is_floating_point()
    return torch.div(*inputs, rounding_mode="trunc") if whole else torch.div(*inputs)


def _plain(function: Callable[..., Tensor]) -> Callable[[Attributes, Inputs], Tensor]:
    return lambda _, inputs: function(*inputs)


def _as_it_is(_: Attributes, inputs: Inputs) -> Tensor:
    return inputs[0]


OPERATIONS: Mapping[str, Callable[[Attributes, Inputs], Any]] = MappingProxyType(
    {
        "Abs": _plain(torch.abs),
        "Add": _plain(torch.add),
        "And": _plain(torch.logical_and),
        "AveragePool": _average_pool,
        "BatchNormalization": _batch_norm,
        "Cast": _cast,
        "CastLike": lambda _, inputs: inputs[0].to(inputs[1].dtype),
        "Ceil": _plain(torch.ceil),
        "Clip": _clip,
        "Concat": lambda a, inputs: torch.cat(list(inputs), a["axis"]),
        "ConstantOfShape": _constant_of_shape,
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "Cos": _plain(torch.cos),
        "DepthToSpace": _depth_to_space,
        "Div": _div,
        "Dropout": _as_it_is,
        "Einsum": lambda a, inputs: torch.einsum(a["equation"], *inputs),
        "Elu": lambda a, inputs: F.elu(inputs[0], a.get("alpha", 1.0)),
        "Equal": _plain(torch.eq),
        "Erf": _plain(torch.erf),
        "Exp": _plain(torch.exp),
        "Expand": _expand,
        "Flatten": _flatten,
        "Floor": _plain(torch.floor),
        "Gather": _gather,
        "Gelu": _gelu,
        "Gemm": _gemm,
        "GlobalAveragePool": _global((F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)),
        "GlobalMaxPool": _global((F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)),
        "Greater": _plain(torch.gt),
        "GreaterOrEqual": _plain(torch.ge),
        "GroupNormalization": _group_norm,
        "HardSigmoid": _hard_sigmoid,
        "HardSwish": _plain(F.hardswish),
        "Identity": _as_it_is,
        "InstanceNormalization": _instance_norm,
        "LRN": _local_response_norm,
        "LayerNormalization": _layer_norm,
        "LeakyRelu": lambda a, inputs: F.leaky_relu(inputs[0], a.get("alpha", 0.01)),
        "Less": _plain(torch.lt),
        "LessOrEqual": _plain(torch.le),
        "Log": _plain(torch.log),
        "LogSoftmax": _softmax(F.log_softmax),
        "MatMul": _plain(torch.matmul),
        "Max": _folded(torch.maximum),
        "MaxPool": _max_pool,
        "Min": _folded(torch.minimum),
        "Mish": _plain(F.mish),
        "Mod": lambda a, inputs: (torch.fmod if a.get("fmod") else torch.remainder)(*inputs),
        "Mul": _plain(torch.mul),
        "Neg": _plain(torch.neg),
        "Not": _plain(torch.logical_not),
        "Or": _plain(torch.logical_or),
        "PRelu": _prelu,
        "Pad": _pad,
        "Pow": _plain(torch.pow),
        "Range": _range,
        "Reciprocal": _plain(torch.reciprocal),
        "ReduceL1": _reduced(lambda x, axes, keep: torch.linalg.vector_norm(x, 1, axes, keep)),
        "ReduceL2": _reduced(lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep)),
        "ReduceLogSumExp": _reduced(torch.logsumexp),
        "ReduceMax": _reduced(torch.amax),
        "ReduceMean": _reduced(torch.mean),
        "ReduceMin": _reduced(torch.amin),
        "ReduceSum": _reduced(torch.sum),
        "ReduceSumSquare": _reduced(lambda x, axes, keep: x.square().sum(axes, keep)),
        "Relu": _plain(F.relu),
        "Reshape": _reshape,
        "Resize": _resize,
        "Round": _plain(torch.round),
        "Selu": _plain(F.selu),
        "Shape": _shape,
        "Sigmoid": _plain(torch.sigmoid),
        "Sign": _plain(torch.sign),
        "Sin": _plain(torch.sin),
        "Slice": _slice,
        "Softmax": _softmax(F.softmax),
        "Softplus": _plain(F.softplus),
        "Softsign": _plain(F.softsign),
        "SpaceToDepth": _space_to_depth,
        "Split": _split,
        "Sqrt": _plain(torch.sqrt),
        "Squeeze": _squeeze,
        "Sub": _plain(torch.sub),
        "Sum": _folded(torch.add),
        "Swish": _plain(F.silu),
        "Tanh": _plain(torch.tanh),
        "Tile": _tile,
        "Transpose": _transpose,
        "Unsqueeze": _unsqueeze,
        "Upsample": _resize,
        "Where": _plain(torch.where),
    }
)
