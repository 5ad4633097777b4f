"""How each operation moves and widens what is seen: a table from ATen name to a rule over `layout.Field`.

A rule gets the operation, its position in the trace, and one Field per operand (None for parameters and
constants), and gives the Field of its result, or a tuple of them. Who mixes all positions says so with
`Field.mixed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

from explorer.analysis.graph import Op
from explorer.analysis.layout import (
    AXES,
    Dim,
    Factor,
    Field,
    Number,
    exact,
    opaque,
    united,
)
from explorer.analysis.roles import words

Fields = Sequence[Field | None]
Result = Field | tuple[Field, ...]
Rule = Callable[[Op, int, Fields], Result]


def _lead(fields: Fields) -> Field:
    return next(f for f in fields if f is not None)


def _live(fields: Fields) -> list[Field]:
    return [f for f in fields if f is not None]


def _ints(value: Any, count: int) -> tuple[int, ...]:
    """A setting given once or once an axis."""
    values = value if isinstance(value, tuple) else (value,)
    return values * count if len(values) == 1 else values


def _dims_argument(op: Op, rank: int, key: str = "dim") -> list[int]:
    """Dimensions named by an argument; none named means all."""
    named = op.attributes.get(key)
    named = named if isinstance(named, tuple) else () if named is None else (named,)
    return [d % rank for d in named] if named else list(range(rank))


def seen_whole(before: Sequence[Field], after: Field, at: int) -> Field:
    """Mark the result when an axis that had positions has none left: it was seen from end to end."""
    gone = any(max(f.count(axis) for f in before) > 1 and after.count(axis) == 1 for axis in AXES)
    return after.mixed(at) if gone else after


def elementwise(op: Op, at: int, fields: Fields) -> Field:
    live = _live(fields)
    return united(live, op.output_shape, at) if len(live) > 1 or live[0].shape != op.output_shape else live[0]


def reduction(op: Op, at: int, fields: Fields) -> Result:
    """Mean, sum, maximum, norm over dimensions."""
    field = start = _lead(fields)
    if op.name in ("max", "min") and "dim" not in op.attributes and len(_live(fields)) > 1:
        return elementwise(op, at, fields)
    dims = _dims_argument(op, len(start.dims))
    for d in dims:
        field = field.collapsed(d, opaque(1))
    if not op.attributes.get("keepdim", False):
        field = field.with_dims([d for i, d in enumerate(field.dims) if i not in dims])
    field = seen_whole([start], field, at)
    return (field, field) if op.name in ("max", "min", "var_mean", "std_mean", "topk", "median") else field


def _window(field: Field, index: int, op: Op, axis: int, rank: int, at: int) -> Field:
    """One axis of a convolution or pooling. axis counts the window's axes, index the tensor's."""
    count = op.output_shape[index]
    kernel = _ints(op.attributes["kernel_size"], rank)[axis]
    stride = _ints(op.attributes.get("stride") or op.attributes["kernel_size"], rank)[axis]
    dilation = _ints(op.attributes.get("dilation", 1), rank)[axis]
    span = dilation * (kernel - 1)
    padding = op.attributes.get("padding", 0)
    pad = {"same": span // 2, "valid": 0}[padding] if isinstance(padding, str) else _ints(padding, rank)[axis]
    positions = field.dims[index].size
    factor = field.dims[index].single()
    result = field.windowed(index, -pad, span - pad, stride, count)
    whole = factor is not None and positions > 1 and count == 1 and pad == 0 and span + 1 >= positions
    if whole:  # the window covers the map: a global pooling or a fully connected layer under another name
        return result.replaced(index, opaque(1)).mixed(at)
    return result.mixed(at) if factor is None and field.dims[index].spatial else result


def pooling(op: Op, at: int, fields: Fields) -> Result:
    field = _lead(fields)
    rank = 3 if op.name.endswith("3d") else 1 if op.name.endswith("1d") else 2
    offset = len(field.dims) - rank
    for axis in range(rank):
        field = _window(field, offset + axis, op, axis, rank, at)
    return (field, field) if op.name.endswith("with_indices") else field


def convolution(op: Op, at: int, fields: Fields) -> Field:
    start = field = _lead(fields)
    rank = len(op.attributes["kernel_size"])
    depthwise = op.kind == "depthwise" and op.output_shape[1] == field.dims[1].size
    if not depthwise:
        field = seen_whole([start], field.collapsed(1, opaque(op.output_shape[1])), at)
    for axis in range(rank):
        transposed = op.name.startswith("conv_transpose") or op.attributes.get("transposed")
        field = (
            _spread(field, 2 + axis, op, axis, rank)
            if transposed
            else _window(field, 2 + axis, op, axis, rank, at)
        )
    for other in _live(fields)[1:]:  # a kernel computed from the image
        field = field.mixed(at if other.seen_all is None else other.seen_all)
    return field


def _spread(field: Field, index: int, op: Op, axis: int, rank: int) -> Field:
    """Transposed: position p gathers the old positions (p + pad - d j) / s over the kernel's places j."""
    kernel, stride = (_ints(op.attributes[key], rank)[axis] for key in ("kernel_size", "stride"))
    pad, dilation = (_ints(op.attributes[key], rank)[axis] for key in ("padding", "dilation"))
    low = Fraction(pad - dilation * (kernel - 1), stride)
    return field.windowed(index, low, Fraction(pad, stride), Fraction(1, stride), op.output_shape[index])


def gathered(field: Field, index: int, reads: Sequence[tuple[int, int]], step: Number) -> Field:
    """Position i reads the old positions from reads[i][0] to reads[i][1]: the tightest band over all i."""
    low = min(first - i * step for i, (first, _) in enumerate(reads))
    high = max(last - i * step for i, (_, last) in enumerate(reads))
    return field.windowed(index, low, high, step, len(reads))


def adaptive_pooling(op: Op, at: int, fields: Fields) -> Result:
    field = _lead(fields)
    rank = 1 if op.name.endswith("1d") else 2
    for index in range(len(field.dims) - rank, len(field.dims)):
        size, count = field.dims[index].size, op.output_shape[index]
        if size == count > 1:
            continue
        if count == 1:
            field = field.collapsed(index, opaque(1)).mixed(at) if field.dims[index].spatial else field
            field = field.replaced(index, opaque(1))
        else:
            reads = [(i * size // count, -(-(i + 1) * size // count) - 1) for i in range(count)]
            field = gathered(field, index, reads, exact(Fraction(size, count)))
    return (field, field) if "max" in op.name else field


def upsampling(op: Op, at: int, fields: Fields) -> Field:
    """Nearest reads one position, bilinear two, bicubic four; shrinking with antialias reads more."""
    field = _lead(fields)
    reach = 0 if "nearest" in op.name else 2 if "bicubic" in op.name else 1
    for index in range(2, len(field.dims)):
        size, count = field.dims[index].size, op.output_shape[index]
        if size == count:
            continue
        step = Fraction(size, count)
        spread = reach * step if op.name.endswith("_aa") and step > 1 else Fraction(reach)
        if op.attributes.get("align_corners") and count > 1:
            step = Fraction(size - 1, count - 1)
            centres = [i * step for i in range(count)]
        else:
            centres = [(i + Fraction(1, 2)) * step - Fraction(1, 2) for i in range(count)]
        if reach == 0:
            reads = [(i * size // count,) * 2 for i in range(count)]
        else:  # the kernel reaches less than `spread` to both sides, where it weighs nothing; edges repeat
            inside = spread - Fraction(1, 10**9)
            reads = [(max(0, ceil(c - inside)), min(size - 1, floor(c + inside))) for c in centres]
        field = gathered(field, index, reads, exact(Fraction(size, count)))
    return field


def linear(op: Op, at: int, fields: Fields) -> Field:
    start = _lead(fields)
    last = len(start.dims) - 1
    field = seen_whole([start], start.collapsed(last, opaque(op.output_shape[-1])), at)
    return field if len(_live(fields)) == 1 else field.mixed(at)


def product(op: Op, at: int, fields: Fields) -> Field:
    """Matrix product [.., I, K] x [.., K, J]. Of two tensors of the image the first keeps its places."""
    left, right = fields[-2:]  # a sum that is added comes before them
    live = _live([left, right])
    left = left.collapsed(len(left.dims) - 1) if left is not None else None
    right = right.collapsed(max(len(right.dims) - 2, 0)) if right is not None else None
    dims: list[Dim] = []
    for back in range(len(op.output_shape), 0, -1):
        sides = {1: [right], 2: [left]}.get(back, [left, right])
        found = [side.dims[-back] for side in sides if side is not None and len(side.dims) >= back]
        fitting = [d for d in found if d.size == op.output_shape[-back]]
        dims.append(max(fitting, key=lambda d: d.spatial) if fitting else opaque(op.output_shape[-back]))
    rows_have_places = any(d.spatial for d in dims[:-1])
    if rows_have_places:  # the places of the columns are not followed as well: the mark below tells
        dims[-1] = opaque(op.output_shape[-1])
    lead = right if left is None or (right is not None and not rows_have_places) else left
    assert lead is not None
    field = lead.with_dims(dims)
    if len(live) == 1:
        return seen_whole(live, field, at)
    gated = any(f.seen_all is not None and f.count(0) * f.count(1) == 1 for f in live)
    return _marks(field if gated else field.mixed(at), live)


def _marks(field: Field, fields: Sequence[Field]) -> Field:
    for other in fields:
        if other.seen_all is not None:
            field = field.mixed(other.seen_all)
    return field


def attention(op: Op, at: int, fields: Fields) -> Field:
    query = next((f for o, f in zip(op.operands, fields, strict=True) if o.argument == "query"), None)
    lead = query if query is not None else _lead(fields)
    dims = [d if d.size == n else opaque(n) for d, n in zip(lead.dims, op.output_shape, strict=True)]
    return _marks(lead.with_dims([*dims[:-1], opaque(op.output_shape[-1])]).mixed(at), _live(fields))


def einsum(op: Op, at: int, fields: Fields) -> Field:
    live = _live(fields)
    terms, _, out = op.attributes["equation"].replace(" ", "").partition("->")
    named: dict[str, Dim] = {}
    lead = live[0]
    for term, field in zip(terms.split(","), fields, strict=True):
        if field is None:
            continue
        for position, letter in enumerate(term):
            if letter not in out:
                field = field.collapsed(position)
            elif letter not in named or field.dims[position].spatial:
                named[letter] = field.dims[position]
        if field.count(0) * field.count(1) > lead.count(0) * lead.count(1) or lead is live[0]:
            lead = field
    result = lead.with_dims([named.get(c, opaque(n)) for c, n in zip(out, op.output_shape, strict=True)])
    if len(live) > 1:
        return _marks(result.mixed(at), live)
    return seen_whole(live, result, at)


def normalisation(op: Op, at: int, fields: Fields) -> Field:
    """Batch statistics are fixed at inference; layer and RMS norm average over the trailing dimensions, group
    and instance norm over all positions."""
    field = _lead(fields)
    if op.name == "batch_norm":
        return field.mixed(at) if op.attributes.get("training") else field
    if op.name in ("group_norm", "instance_norm"):
        averaged = field.dims[2:] if not op.attributes.get("use_running_stats") or not op.operands else ()
    else:
        averaged = field.dims[-len(op.attributes["normalized_shape"]) :]
    return field.mixed(at) if any(d.spatial for d in averaged) else field


def softmax(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    return field.mixed(at) if field.dims[op.attributes["dim"] % len(field.dims)].spatial else field


def view(op: Op, at: int, fields: Fields) -> Field:
    return _lead(fields).reshaped(op.output_shape)


def permutation(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    order = list(range(len(field.dims)))
    if op.name == "permute":
        order = [d % len(order) for d in op.attributes["dims"]]
    elif op.name == "movedim":
        moving, target = (_ints(op.attributes[k], 1) for k in ("source", "destination"))
        order = [d for d in order if d not in [m % len(order) for m in moving]]
        for where, what in sorted(zip((t % len(field.dims) for t in target), moving, strict=True)):
            order.insert(where, what % len(field.dims))
    else:
        a, b = (op.attributes.get(k, k2) for k, k2 in (("dim0", 0), ("dim1", 1)))
        order[a], order[b] = order[b], order[a]
    return field.permuted(order)


def expansion(op: Op, at: int, fields: Fields) -> Field:
    """A repeated dimension of one place stays one place to the image."""
    field = _lead(fields)
    shape = op.output_shape
    extra = len(shape) - len(field.dims)
    dims = [opaque(n) for n in shape[:extra]]
    for dim, size in zip(field.dims, shape[extra:], strict=True):
        dims.append(dim if dim.size == size else opaque(size))
    return field.with_dims(dims)


def repetition(op: Op, at: int, fields: Fields) -> Field:
    field = start = _lead(fields)
    shape = op.output_shape
    extra = len(shape) - len(field.dims)
    for i, dim in enumerate(start.dims):
        if dim.size != shape[extra + i]:
            field = field.collapsed(i, opaque(shape[extra + i]))
    return seen_whole([start], field.with_dims([*(opaque(n) for n in shape[:extra]), *field.dims]), at)


def slicing(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    index = op.attributes.get("dim", 0) % len(field.dims)
    size = field.dims[index].size
    start = op.attributes.get("start") or 0
    start = max(0, min(start + size if start < 0 else start, size))
    return field.sliced(index, start, op.output_shape[index], op.attributes.get("step", 1))


def narrowing(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    index = op.attributes["dim"] % len(field.dims)
    return field.sliced(index, op.attributes["start"] % field.dims[index].size, op.attributes["length"])


def selection(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    return field.selected(op.attributes["dim"] % len(field.dims), op.attributes["index"])


def parting(op: Op, at: int, fields: Fields) -> Result:
    """split, chunk and unbind: a tuple of slices."""
    field = _lead(fields)
    index = op.attributes.get("dim", 0) % len(field.dims)
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
    axis = op.attributes.get("dim", 0) % len(op.output_shape)
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
        return _marks(joined, live)
    flat = [f.collapsed(axis, opaque(op.output_shape[axis])) for f in live]
    result = united(flat, op.output_shape, at)
    return seen_whole(live, result, at) if spatial else result


def padding(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    pads = op.attributes["pad"]
    for back in range(len(pads) // 2):
        index, (left, right) = len(field.dims) - 1 - back, pads[2 * back : 2 * back + 2]
        dim = field.dims[index]
        if not (left or right):
            continue
        if dim.single() is not None or not dim.spatial:
            field = field.windowed(index, -left, -left, 1, dim.size + left + right)
        else:
            field = field.replaced(index, Dim(dim.factors, dim.before + left, dim.after + right))
    return field


def squeezing(op: Op, at: int, fields: Fields) -> Field:
    return _lead(fields).reshaped(op.output_shape)


def unsqueezing(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    index = op.attributes["dim"] % (len(field.dims) + 1)
    return field.with_dims([*field.dims[:index], opaque(1), *field.dims[index:]])


def flipping(op: Op, at: int, fields: Fields) -> Field:
    field = _lead(fields)
    for index in _dims_argument(op, len(field.dims), "dims"):
        factor = field.dims[index].single()
        if factor is not None:
            field = field.moved([(factor, factor.count - 1)])
            field = field.replaced(index, Dim((replace(factor, step=-factor.step),)))
    return field


def unfolding(op: Op, at: int, fields: Fields) -> Field:
    """Tensor.unfold: windows along one dimension, their places as a new last dimension."""
    field = _lead(fields)
    index = op.attributes["dimension"] % len(field.dims)
    count, size, step = op.output_shape[index], op.attributes["size"], op.attributes["step"]
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
    field = _lead(fields)
    settings = [_ints(op.attributes[k], 2) for k in ("kernel_size", "dilation", "padding", "stride")]
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
    field = _lead(fields)
    field = field.collapsed(1)
    steps = {f.axis: f.step for f in field.dims[2].factors if f.axis is not None}
    settings = [_ints(op.attributes[k], 2) for k in ("kernel_size", "dilation", "padding", "stride")]
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
    field = _lead(fields)
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


def indexing(op: Op, at: int, fields: Fields) -> Field:
    """Picking by a table of indices: along positions the order is lost, so the whole dimension counts as
    seen."""
    field = start = _lead(fields)
    if op.name == "index_select":
        index = op.attributes["dim"] % len(field.dims)
        return seen_whole([start], field.collapsed(index, opaque(op.output_shape[index])), at)
    if len(field.dims) != len(op.output_shape):
        for i in range(len(field.dims)):
            field = field.collapsed(i)
        return seen_whole([start], field.with_dims([opaque(n) for n in op.output_shape]), at)
    for i, size in enumerate(op.output_shape):
        if field.dims[i].size != size:
            field = field.collapsed(i, opaque(size))
    return seen_whole([start], field, at)


def recurrence(op: Op, at: int, fields: Fields) -> Result:
    """A recurrent layer carries along the sequence whatever came before (and after, in both directions)."""
    field = _lead(fields)
    result = field.collapsed(2, opaque(op.output_shape[-1])).mixed(at)
    return (result,) * 3


def unchanged(op: Op, at: int, fields: Fields) -> Field:
    return _lead(fields)


_ELEMENTWISE = words(
    """
    abs add add_ addcdiv addcmul addcmul_ bitwise_not celu clamp clamp_ clamp_max clamp_min copy_ cos
    div div_ elu elu_ eq erf exp floor ge gelu gt hardsigmoid hardsigmoid_ hardswish hardswish_ hardtanh
    hardtanh_ le leaky_relu leaky_relu_ lerp log log1p logical_and logical_not lt masked_fill
    masked_fill_ maximum minimum mish mish_ mul mul_ nan_to_num ne neg pow pow_ prelu reciprocal relu
    relu6 relu6_ relu_ rsqrt rsub selu sigmoid sigmoid_ silu silu_ sin softplus sqrt square sub sub_
    tanh tanh_ where
    """
)
_REDUCTIONS = words(
    """
    amax amin linalg_vector_norm logsumexp max mean median min norm prod std std_mean sum var var_mean
    """
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    **dict.fromkeys(_REDUCTIONS, reduction),
    **dict.fromkeys(
        words("avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool2d_with_indices"), pooling
    ),
    **dict.fromkeys(words("conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d"), convolution),
    **dict.fromkeys(
        words("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d"),
        adaptive_pooling,
    ),
    **dict.fromkeys(
        words(
            """
            upsample_nearest2d upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d
            _upsample_bicubic2d_aa _upsample_bilinear2d_aa
            """
        ),
        upsampling,
    ),
    **dict.fromkeys(words("addbmm addmm baddbmm bmm matmul mm"), product),
    **dict.fromkeys(words("batch_norm group_norm instance_norm layer_norm rms_norm"), normalisation),
    **dict.fromkeys(words("softmax log_softmax"), softmax),
    **dict.fromkeys(words("view reshape flatten unflatten view_as reshape_as"), view),
    **dict.fromkeys(words("permute transpose t movedim swapaxes"), permutation),
    **dict.fromkeys(words("expand expand_as"), expansion),
    **dict.fromkeys(words("repeat tile repeat_interleave"), repetition),
    **dict.fromkeys(words("split split_with_sizes chunk unbind"), parting),
    **dict.fromkeys(words("cat concat stack"), joining),
    **dict.fromkeys(words("pad constant_pad_nd"), padding),
    **dict.fromkeys(words("pixel_shuffle pixel_unshuffle"), shuffling),
    **dict.fromkeys(words("index index_select"), indexing),
    **dict.fromkeys(words("lstm gru rnn_tanh rnn_relu"), recurrence),
    "linear": linear,
    "einsum": einsum,
    "scaled_dot_product_attention": attention,
    "slice": slicing,
    "narrow": narrowing,
    "select": selection,
    "squeeze": squeezing,
    "unsqueeze": unsqueezing,
    "flip": flipping,
    "roll": unchanged,  # positions wander round the edge; the attention that follows marks the mixing
    "unfold": unfolding,
    "im2col": patching,
    "col2im": unpatching,
    "output": unchanged,
}
