"""Receptive field rules of operations that compute: windows, products, norms, reductions, element by element.

Who mixes all positions says so with `Field.mixed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from explorer.analysis.field.dimensions import Dim, Field, Number, exact, opaque, united
from explorer.analysis.field.operands import (
    Fields,
    Result,
    first_image,
    image_fields,
    named_dims,
    per_axis,
    seen_whole,
    with_marks,
)
from explorer.analysis.graph.einsum import terms
from explorer.analysis.graph.operations import Op


def elementwise(op: Op, at: int, fields: Fields) -> Field:
    live = image_fields(fields)
    return united(live, op.output_shape, at) if len(live) > 1 or live[0].shape != op.output_shape else live[0]


def reduction(op: Op, at: int, fields: Fields) -> Result:
    """Mean, sum, maximum, norm over dimensions."""
    field = start = first_image(fields)
    if op.name in ("max", "min") and len(fields) > 1:
        return elementwise(op, at, fields)
    dims = named_dims(op, len(start.dims))
    for d in dims:
        field = field.collapsed(d, opaque(1))
    if not op.attributes.get("keepdim", False):
        field = field.with_dims([d for i, d in enumerate(field.dims) if i not in dims])
    field = seen_whole([start], field, at)
    return (field, field) if op.name in ("max", "min", "var_mean", "std_mean", "median") else field


def _window(field: Field, index: int, op: Op, axis: int, rank: int, at: int) -> Field:
    """One axis of a convolution or pooling. axis counts the window's axes, index the tensor's."""
    count = op.output_shape[index]
    kernel = per_axis(op.attributes["kernel_size"], rank)[axis]
    stride = per_axis(op.attributes.get("stride") or op.attributes["kernel_size"], rank)[axis]
    dilation = per_axis(op.attributes.get("dilation", 1), rank)[axis]
    span = dilation * (kernel - 1)
    padding = op.attributes["padding"]
    pad = (
        {"same": span // 2, "valid": 0}[padding]
        if isinstance(padding, str)
        else per_axis(padding, rank)[axis]
    )
    field = field.straight(index)
    positions = field.dims[index].size
    factor = field.dims[index].single()
    result = field.windowed(index, -pad, span - pad, stride, count)
    whole = factor is not None and positions > 1 and count == 1 and pad == 0 and span + 1 >= positions
    if whole:  # the window covers the map: a global pooling or a fully connected layer under another name
        return result.replaced(index, opaque(1)).mixed(at)
    return result.mixed(at) if factor is None and field.dims[index].spatial else result


def _rank(op: Op) -> int:
    """Of the window: 2 of "max_pool2d_with_indices"."""
    return next(rank for rank in (1, 2, 3) if f"{rank}d" in op.name)


def pooling(op: Op, at: int, fields: Fields) -> Result:
    field = first_image(fields)
    rank = _rank(op)
    offset = len(field.dims) - rank
    for axis in range(rank):
        field = _window(field, offset + axis, op, axis, rank, at)
    return (field, field) if op.name.endswith("with_indices") else field


def convolution(op: Op, at: int, fields: Fields) -> Field:
    start = field = first_image(fields)
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
    for other in image_fields(fields)[1:]:  # a kernel computed from the image
        field = field.mixed(at if other.seen_all is None else other.seen_all)
    return field.mixed(at) if op.name == "deform_conv2d" else field  # offsets may lead anywhere


def _spread(field: Field, index: int, op: Op, axis: int, rank: int) -> Field:
    """Transposed: position p gathers the old positions (p + pad - d j) / s over the kernel's places j."""
    kernel, stride = (per_axis(op.attributes[key], rank)[axis] for key in ("kernel_size", "stride"))
    pad, dilation = (per_axis(op.attributes[key], rank)[axis] for key in ("padding", "dilation"))
    low = Fraction(pad - dilation * (kernel - 1), stride)
    return field.windowed(index, low, Fraction(pad, stride), Fraction(1, stride), op.output_shape[index])


def gathered(field: Field, index: int, reads: Sequence[tuple[int, int]], step: Number) -> Field:
    """Position i reads the old positions from reads[i][0] to reads[i][1]: the tightest band over all i."""
    low = min(first - i * step for i, (first, _) in enumerate(reads))
    high = max(last - i * step for i, (_, last) in enumerate(reads))
    return field.windowed(index, low, high, step, len(reads))


def adaptive_pooling(op: Op, at: int, fields: Fields) -> Result:
    field = first_image(fields)
    rank = _rank(op)
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


_REACH = {"nearest": 0, "linear": 1, "cubic": 2, "lanczos": 3}  # of the kernel, to both sides


_FINE = 10**6  # 1.3 is 13/10, and not the float beside it


def upsampling(op: Op, at: int, fields: Fields) -> Field:
    """Nearest reads one position, linear two, cubic four; shrinking with antialias reads more.

    Where a factor was given, torch steps by it and not by the ratio of the sizes, which are whole numbers.
    """
    field = first_image(fields)
    reach = next(reach for kernel, reach in _REACH.items() if kernel in op.name)
    rank = len(field.dims) - 2
    factors = op.attributes.get("scale_factors") or (None,) * rank
    for index, factor in zip(range(2, len(field.dims)), per_axis(factors, rank), strict=True):
        size, count = field.dims[index].size, op.output_shape[index]
        if size == count:
            continue
        step = 1 / Fraction(factor).limit_denominator(_FINE) if factor else Fraction(size, count)
        spread = reach * step if op.name.endswith("_aa") and step > 1 else Fraction(reach)
        if op.attributes.get("align_corners") and count > 1:
            step = Fraction(size - 1, count - 1)
            centres = [i * step for i in range(count)]
        else:
            centres = [(i + Fraction(1, 2)) * step - Fraction(1, 2) for i in range(count)]
        if reach == 0:  # the pixel that the place begins in; the exact kind, the one that its middle lies in
            inner = Fraction(1, 2) if "exact" in op.name else Fraction(0)
            reads = [(min(floor((i + inner) * step), size - 1),) * 2 for i in range(count)]
        else:  # the kernel reaches less than `spread` to both sides, where it weighs nothing; edges repeat
            inside = spread - Fraction(1, 10**9)
            reads = [(max(0, ceil(c - inside)), min(size - 1, floor(c + inside))) for c in centres]
        field = gathered(field, index, reads, exact(step))
    return field


def anywhere(op: Op, at: int, fields: Fields) -> Field:
    """The most cautious thing to say: every position has been seen. Where the shape is kept, so are the
    places."""
    widest = max(image_fields(fields), key=lambda f: f.count(0) * f.count(1))
    if widest.shape == op.output_shape:
        return widest.mixed(at)
    return widest.everywhere(op.output_shape).mixed(at)


def linear(op: Op, at: int, fields: Fields) -> Field:
    start = first_image(fields)
    last = len(start.dims) - 1
    field = seen_whole([start], start.collapsed(last, opaque(op.output_shape[-1])), at)
    return field if len(image_fields(fields)) == 1 else field.mixed(at)


def product(op: Op, at: int, fields: Fields) -> Field:
    """Matrix product [.., I, K] x [.., K, J], of vectors too. Of two tensors of the image the first keeps its
    places."""
    left, right = fields[-2:]
    row, column = (len(operand.shape) == 1 for operand in op.operands[-2:])  # vectors, for once with two axes
    shape = list(op.output_shape)
    if row:
        shape.insert(len(shape) - (not column), 1)
        left = left.with_dims([opaque(1), *left.dims]) if left is not None else None
    if column:
        shape.append(1)
        right = right.with_dims([*right.dims, opaque(1)]) if right is not None else None
    before = image_fields([left, right])
    if not before:  # of parameters, added to something of the image
        return elementwise(op, at, fields)
    left = left.collapsed(len(left.dims) - 1) if left is not None else None
    right = right.collapsed(len(right.dims) - 2) if right is not None else None
    if op.name.startswith("addbmm"):  # the batch is summed over
        left, right = (side and side.collapsed(0).without(0) for side in (left, right))
    live = image_fields([left, right])
    dims: list[Dim] = []
    for back in range(len(shape), 0, -1):
        found = [side.dims[-back] for side in live if len(side.dims) >= back]
        fitting = [d for d in found if d.size == shape[-back]]
        dims.append(max(fitting, key=lambda d: d.spatial) if fitting else opaque(shape[-back]))
    lead = live[-1]
    if len(live) > 1 and any(d.spatial for d in dims[:-1]):
        # The places of the columns are not followed as well: the mark below tells.
        dims[-1], lead = opaque(shape[-1]), live[0]
    if column:
        dims.pop()
    if row:
        dims.pop(len(dims) - (1 if column else 2))
    field = lead.with_dims(dims)
    if len(live) == 1:
        field = seen_whole(before, field, at)
    else:
        gated = any(f.count(0) * f.count(1) == 1 for f in before)
        field = with_marks(field if gated else field.mixed(at), live)
    added = fields[0] if len(fields) > 2 else None
    return field if added is None else united([field, added], op.output_shape, at)


def attention(op: Op, at: int, fields: Fields) -> Field:
    query = next((f for o, f in zip(op.operands, fields, strict=True) if o.argument == "query"), None)
    lead = query if query is not None else first_image(fields)
    dims = [d if d.size == n else opaque(n) for d, n in zip(lead.dims, op.output_shape, strict=True)]
    return with_marks(
        lead.with_dims([*dims[:-1], opaque(op.output_shape[-1])]).mixed(at), image_fields(fields)
    )


def einsum(op: Op, at: int, fields: Fields) -> Field:
    live = image_fields(fields)
    letters, out = terms(op.attributes["equation"], [operand.shape for operand in op.operands])
    named: dict[str, Dim] = {}
    read = []
    for term, field in zip(letters, fields, strict=True):
        if field is None:
            continue
        for position, letter in enumerate(term):
            if letter not in out:
                field = field.collapsed(position)
            elif letter not in named or field.dims[position].spatial:
                named[letter] = field.dims[position]
        read.append(field)
    lead = max(read, key=lambda f: f.count(0) * f.count(1))
    sides = [named.get(letter, opaque(n)) for letter, n in zip(out, op.output_shape, strict=True)]
    result = lead.with_dims(
        [dim if dim.size == n else opaque(n) for dim, n in zip(sides, op.output_shape, strict=True)]
    )
    if len(live) > 1:
        return with_marks(result.mixed(at), live)
    return seen_whole(live, result, at)


def normalisation(op: Op, at: int, fields: Fields) -> Field:
    """Batch statistics are fixed at inference; layer and RMS norm average over the trailing dimensions, group
    and instance norm over all positions."""
    field = first_image(fields)
    if op.name == "batch_norm":
        return field.mixed(at) if op.attributes["training"] else field
    if op.name in ("group_norm", "instance_norm"):
        averaged = field.dims[2:] if op.attributes.get("use_input_stats", True) else ()
    else:
        averaged = field.dims[-len(op.attributes["normalized_shape"]) :]
    return field.mixed(at) if any(d.spatial for d in averaged) else field


def softmax(op: Op, at: int, fields: Fields) -> Field:
    field = first_image(fields)
    return field.mixed(at) if field.dims[op.attributes["dim"] % len(field.dims)].spatial else field


def recurrence(op: Op, at: int, fields: Fields) -> Result:
    """A recurrent layer carries along the sequence whatever came before (and after, in both directions). Its
    last states, of which it gives as many as it got first ones, have no place in it."""
    field = first_image(fields)
    result = field.collapsed(len(field.dims) - 1, opaque(op.output_shape[-1])).mixed(at)
    states = [operand.shape for operand in op.operands if operand.argument == "hx"]
    return (result, *(field.everywhere(shape).mixed(at) for shape in states))
