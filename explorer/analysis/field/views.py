"""Receptive field rules of operations that move elements and compute nothing: views, slices, joins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.analysis.field.dimensions import AXES, Dim, Factor, Field, exact, opaque, united
from explorer.analysis.field.operands import (
    Fields,
    Result,
    first_image,
    named_dims,
    per_axis,
    seen_whole,
    with_marks,
)
from explorer.analysis.graph.operations import Op


def view(op: Op, at: int, fields: Fields) -> Field:
    return first_image(fields).reshaped(op.output_shape)


def permutation(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    order = list(range(len(field.dims)))
    if op.name == "permute":
        order = [d % len(order) for d in op.attributes["dims"]]
    elif op.name in ("movedim", "moveaxis"):
        moving, target = (per_axis(op.attributes[k], 1) for k in ("source", "destination"))
        order = [d for d in order if d not in [m % len(order) for m in moving]]
        for where, what in sorted(zip((t % len(field.dims) for t in target), moving, strict=True)):
            order.insert(where, what % len(field.dims))
    else:
        names = ("axis0", "axis1") if op.name == "swapaxes" else ("dim0", "dim1")
        a, b = (op.attributes[name] for name in names) if op.name != "t" else (0, -1)
        order[a], order[b] = order[b], order[a]
    return field.permuted(order)


def expansion(op: Op, at: int, fields: Fields) -> Field:
    """A repeated dimension of one place stays one place to the image."""
    field = first_image(fields)
    shape = op.output_shape
    extra = len(shape) - len(field.dims)
    dims = [opaque(n) for n in shape[:extra]]
    for dim, size in zip(field.dims, shape[extra:], strict=True):
        dims.append(dim if dim.size == size else opaque(size))
    return field.with_dims(dims)


def repetition(op: Op, at: int, fields: Fields) -> Field:
    field = start = first_image(fields)
    shape = op.output_shape
    extra = len(shape) - len(field.dims)
    for i, dim in enumerate(start.dims):
        if dim.size != shape[extra + i]:
            field = field.collapsed(i, opaque(shape[extra + i]))
    return seen_whole([start], field.with_dims([*(opaque(n) for n in shape[:extra]), *field.dims]), at)


def slicing(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    index = op.attributes["dim"] % len(field.dims)
    size = field.dims[index].size
    start = op.attributes.get("start") or 0
    start = max(0, min(start + size if start < 0 else start, size))
    return field.sliced(index, start, op.output_shape[index], op.attributes["step"])


def narrowing(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    index = op.attributes["dim"] % len(field.dims)
    return field.sliced(index, op.attributes["start"] % field.dims[index].size, op.attributes["length"])


def selection(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    return field.selected(op.attributes["dim"] % len(field.dims), op.attributes["index"])


def parting(op: Op, at: int, fields: Fields) -> Result:
    """split, chunk and unbind: a tuple of slices."""
    field = first_image(fields)
    index = op.attributes["dim"] % len(field.dims)
    size = field.dims[index].size
    if op.name == "unbind":
        return tuple(field.selected(index, i) for i in range(size))
    if op.name == "chunk":
        each = -(-size // op.attributes["chunks"])
        sizes: tuple[int, ...] = (each,) * (-(-size // each))
    else:
        given = op.attributes.get("split_sizes", op.attributes.get("split_size"))
        sizes = given if isinstance(given, tuple) else (given,) * (-(-size // given))
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(field.sliced(index, s, min(n, size - s)) for s, n in zip(starts, sizes, strict=True))


def joining(op: Op, at: int, fields: Fields) -> Field:
    """Concatenation and stacking. Along channels the field is the hull; beside positions something without
    any (a class token) becomes places before or after them."""
    axis = op.attributes["dim"] % len(op.output_shape)
    shapes = [o.shape for o in op.operands]
    if op.name == "stack":
        fields = [
            f.with_dims([*f.dims[:axis], opaque(1), *f.dims[axis:]]) if f is not None else None
            for f in fields
        ]
        shapes = [(*s[:axis], 1, *s[axis:]) for s in shapes]
    parts = [(f, s[axis]) for f, s in zip(fields, shapes, strict=True)]
    live = [f for f, _ in parts if f is not None]
    spatial = [i for i, (f, _) in enumerate(parts) if f is not None and f.dims[axis].spatial]
    if len(spatial) == 1 and not any(
        f.has(a) for i, (f, _) in enumerate(parts) if f and i not in spatial for a in AXES
    ):
        lead, _ = parts[spatial[0]]
        assert lead is not None
        before = sum(n for _, n in parts[: spatial[0]])
        dim = lead.dims[axis]
        after = op.output_shape[axis] - before - dim.size
        joined = lead.replaced(axis, Dim(dim.factors, dim.before + before, dim.after + after))
        return with_marks(joined, live)
    flat = [f.collapsed(axis, opaque(op.output_shape[axis])) for f in live]
    result = united(flat, op.output_shape, at)
    return seen_whole(live, result, at) if spatial else result


def padding(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    pads = op.attributes["pad"]
    for back in range(len(pads) // 2):
        index, (left, right) = len(field.dims) - 1 - back, pads[2 * back : 2 * back + 2]
        field = field.straight(index) if left or right else field
        dim = field.dims[index]
        if not (left or right):
            continue
        if dim.single() is not None or not dim.spatial:
            field = field.windowed(index, -left, -left, 1, dim.size + left + right)
        else:
            field = field.replaced(index, Dim(dim.factors, dim.before + left, dim.after + right))
    return field


def unsqueezing(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    index = op.attributes["dim"] % (len(field.dims) + 1)
    return field.with_dims([*field.dims[:index], opaque(1), *field.dims[index:]])


def flipping(op: Op, at: int, fields: Fields) -> Field:
    """Backwards through a dimension is backwards through each of its factors."""
    field = first_image(fields)
    for index in named_dims(op, len(field.dims), "dims"):
        factors, before, after = field.dims[index]
        field = field.moved([(factor, factor.count - 1) for factor in factors])
        turned = tuple(replace(factor, step=-factor.step) for factor in factors)
        field = field.replaced(index, Dim(turned, after, before))
    return field


def unfolding(op: Op, at: int, fields: Fields) -> Field:
    """Tensor.unfold: windows along one dimension, their places as a new last dimension."""
    field = first_image(fields)
    index = op.attributes["dimension"] % len(field.dims)
    count, size, step = op.output_shape[index], op.attributes["size"], op.attributes["step"]
    field = field.straight(index)
    factor = field.dims[index].single()
    if factor is None:
        spatial = field.dims[index].spatial
        field = field.collapsed(index, opaque(count))
        return (field.mixed(at) if spatial else field).with_dims([*field.dims, opaque(size)])
    dims = [*field.dims, Dim((replace(factor, count=size),))]
    dims[index] = Dim((Factor(factor.axis, count, exact(factor.step * step)),))
    return field.with_dims(dims)


def patching(op: Op, at: int, fields: Fields) -> Field:
    """im2col: [N, C, H, W] -> [N, C kh kw, places]."""
    field = first_image(fields).straight(2).straight(3)
    settings = [per_axis(op.attributes[k], 2) for k in ("kernel_size", "dilation", "padding", "stride")]
    inside: list[Factor] = []
    outside: list[Factor] = []
    for axis, (kernel, dilation, pad, stride) in enumerate(zip(*settings, strict=True)):
        factor = field.dims[2 + axis].single() or Factor(None, field.dims[2 + axis].size)
        count = (field.dims[2 + axis].size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        if factor.axis is not None:
            field = field.shifted(factor.axis, -pad * factor.step, -pad * factor.step)
        inside.append(Factor(factor.axis, kernel, factor.step * dilation))
        outside.append(Factor(factor.axis, count, factor.step * stride))
    channels = Dim((*field.dims[1].factors, *inside))
    return field.with_dims([field.dims[0], channels, Dim(tuple(outside))])


def unpatching(op: Op, at: int, fields: Fields) -> Field:
    """col2im: [N, C kh kw, places] -> [N, C, H, W], overlapping windows summed."""
    field = first_image(fields)
    field = field.collapsed(1)
    steps = {f.axis: f.step for f in field.dims[2].factors if f.axis is not None}
    settings = [per_axis(op.attributes[k], 2) for k in ("kernel_size", "dilation", "padding", "stride")]
    dims = [field.dims[0], opaque(op.output_shape[1])]
    for axis, (kernel, dilation, pad, stride) in enumerate(zip(*settings, strict=True)):
        count = op.output_shape[2 + axis]
        if axis not in steps:
            dims.append(opaque(count))
            continue
        step = Fraction(steps[axis]) / stride
        field = field.shifted(axis, (pad - dilation * (kernel - 1)) * step, pad * step)
        dims.append(Dim((Factor(axis, count, exact(step)),)))
    return field.with_dims(dims)


def shuffling(op: Op, at: int, fields: Fields) -> Field:
    """pixel_shuffle and pixel_unshuffle, written as the views they are."""
    field = first_image(fields)
    n, c, h, w = field.shape
    if op.name == "pixel_unshuffle":
        r = op.attributes["downscale_factor"]
        return (
            field.reshaped((n, c, h // r, r, w // r, r))
            .permuted((0, 1, 3, 5, 2, 4))
            .reshaped(op.output_shape)
        )
    r = op.attributes["upscale_factor"]
    return field.reshaped((n, c // r**2, r, r, h, w)).permuted((0, 1, 4, 2, 5, 3)).reshaped(op.output_shape)


def channel_shuffling(op: Op, at: int, fields: Fields) -> Field:
    """The channels of g groups dealt out in turn, written as the views they are."""
    field = first_image(fields)
    n, c, *places = field.shape
    groups = op.attributes["groups"]
    dealt = field.reshaped((n, groups, c // groups, *places))
    return dealt.permuted((0, 2, 1, *range(3, len(dealt.dims)))).reshaped(op.output_shape)


def indexing(op: Op, at: int, fields: Fields) -> Field:
    """Picking by a table of indices: along positions the order is lost, so the whole dimension counts as
    seen."""
    field = start = first_image(fields)
    if op.name == "index_select":
        index = op.attributes["dim"] % len(field.dims)
        return seen_whole([start], field.collapsed(index, opaque(op.output_shape[index])), at)
    if len(field.dims) != len(op.output_shape):
        return seen_whole([start], field.everywhere(op.output_shape), at)
    for i, size in enumerate(op.output_shape):
        if field.dims[i].size != size:
            field = field.collapsed(i, opaque(size))
    return seen_whole([start], field, at)


def unchanged(op: Op, at: int, fields: Fields) -> Field:
    return first_image(fields)
