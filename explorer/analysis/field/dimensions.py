"""Which pixels an element of a tensor sees, as an affine function of its index.

A receptive field calculator that only knows [N, C, H, W] loses its way at the first permute, window partition
or flatten. Here every dimension of a tensor is a product of factors, outermost first. A factor (axis, count,
step) says: one further along it moves the seen interval by `step` pixels along image axis 0 (height) or 1
(width); axis None moves nothing (batch, channels). Height 56 at stride 4 is (0, 56, 4); cut in windows of 7
it is (0, 8, 28) and (0, 7, 4), and joined with the width to tokens it is ((0, 56, 4), (1, 56, 4)). Views then
only cut and join factors, and stay exact.

Steps and bounds are integers, or fractions after an upsampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import NamedTuple

Number = int | Fraction
AXES = (0, 1)


@dataclass(frozen=True, slots=True)
class Factor:
    axis: int | None
    count: int
    step: Number = 0


class Dim(NamedTuple):
    """One dimension. before, after: places that are no image positions (a class token, then the patches)."""

    factors: tuple[Factor, ...] = ()
    before: int = 0
    after: int = 0

    @property
    def size(self) -> int:
        return self.before + prod(f.count for f in self.factors) + self.after

    @property
    def spatial(self) -> bool:
        return any(f.axis is not None and f.count > 1 for f in self.factors)

    def single(self) -> Factor | None:
        """The one spatial factor of a plain height or width dimension, None of any other."""
        plain = not (self.before or self.after) and len(self.factors) == 1
        return self.factors[0] if plain and self.factors[0].axis is not None else None


def exact(value: Number) -> Number:
    """An integer where it is one."""
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


def magnitude(value: Number) -> Number:
    return -value if value < 0 else value


def opaque(count: int) -> Dim:
    """A dimension along which the seen interval does not move."""
    return Dim((Factor(None, count),) if count != 1 else ())


@dataclass(frozen=True)
class Field:
    """What the elements of one tensor see.

    low, high: first and last pixel along height and width seen by the element with index 0 everywhere. jump:
    distance of neighbours along each axis, kept from before where the axis has been summed away. seen_all:
    position in the trace of the first operation that mixed in all positions; None as long as there is none.
    """

    dims: tuple[Dim, ...]
    low: tuple[Number, Number]
    high: tuple[Number, Number]
    jump: tuple[Number, Number] = (1, 1)
    seen_all: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(d.size for d in self.dims)

    def count(self, axis: int) -> int:
        """Number of distinct positions along an image axis."""
        return prod(f.count for d in self.dims for f in d.factors if f.axis == axis)

    def has(self, axis: int) -> bool:
        return any(f.axis == axis for d in self.dims for f in d.factors)

    def with_dims(self, dims: Sequence[Dim]) -> Field:
        """Other dimensions; an axis that still stands renews its jump."""
        jump = list(self.jump)
        for axis in AXES:
            steps: list[Number] = [
                magnitude(f.step)
                for d in dims
                for f in d.factors
                if f.axis == axis and (f.count > 1 or f.step)
            ]
            if steps:
                jump[axis] = min(steps)
        return replace(self, dims=tuple(dims), jump=(jump[0], jump[1]))

    def mixed(self, at: int) -> Field:
        """The same places, each of which from operation `at` on depends on all others."""
        return replace(self, seen_all=at if self.seen_all is None else min(at, self.seen_all))

    def shifted(self, axis: int, low: Number, high: Number) -> Field:
        lows, highs = list(self.low), list(self.high)
        lows[axis], highs[axis] = exact(lows[axis] + low), exact(highs[axis] + high)
        return replace(self, low=(lows[0], lows[1]), high=(highs[0], highs[1]))

    def moved(self, factors: Sequence[tuple[Factor, int]]) -> Field:
        """The view from a fixed index along some factors."""
        field = self
        for factor, index in factors:
            if factor.axis is not None:
                field = field.shifted(factor.axis, factor.step * index, factor.step * index)
        return field

    def collapsed(self, index: int, keep: Dim | None = None) -> Field:
        """Everything along one dimension seen together; the dimension becomes `keep` (default: opaque, same
        size)."""
        field = self
        for factor in self.dims[index].factors:
            if factor.axis is not None:
                reach = factor.step * (factor.count - 1)
                field = field.shifted(factor.axis, min(0, reach), max(0, reach))
        dims = list(field.dims)
        dims[index] = opaque(self.dims[index].size) if keep is None else keep
        return field.with_dims(dims)

    def everywhere(self, shape: Sequence[int]) -> Field:
        """All places seen together, in a tensor of another shape."""
        field = self
        for index in range(len(self.dims)):
            field = field.collapsed(index)
        return field.with_dims([opaque(n) for n in shape])

    def without(self, index: int) -> Field:
        return self.with_dims([d for i, d in enumerate(self.dims) if i != index])

    def replaced(self, index: int, dim: Dim) -> Field:
        return self.with_dims([dim if i == index else d for i, d in enumerate(self.dims)])

    def straight(self, index: int) -> Field:
        """The same with a dimension that moves along one image axis, but not evenly, made even: the tightest
        band around all its places. After a pixel shuffle every r neighbours see the same."""
        dim = self.dims[index]
        axes = {f.axis for f in dim.factors if f.axis is not None and f.count > 1}
        if dim.single() is not None or dim.before or dim.after or len(axes) != 1 or not dim.size:
            return self
        seen: list[Number] = [0]  # where each place looks, from where the first one does
        for factor in dim.factors:
            seen = [start + factor.step * i for start in seen for i in range(factor.count)]
        lead = next(n for n, f in enumerate(dim.factors) if f.axis is not None and f.count > 1)
        step = exact(Fraction(dim.factors[lead].step) / prod(f.count for f in dim.factors[lead + 1 :]))
        strays = [place - step * i for i, place in enumerate(seen)]
        (axis,) = axes
        field = self.shifted(axis, min(strays), max(strays))
        return field.replaced(index, Dim((Factor(axis, dim.size, step),)))

    def windowed(self, index: int, low: Number, high: Number, step: Number, count: int) -> Field:
        """Position i along a dimension reads the old positions i * step + low ... i * step + high, `count` of
        them."""
        even = self.straight(index)
        factor = even.dims[index].single()
        if factor is None or factor.axis is None:  # channels, an axis already seen whole, or joined axes
            return self.collapsed(index, opaque(count))
        field = even.shifted(factor.axis, exact(low * factor.step), exact(high * factor.step))
        return field.replaced(index, Dim((Factor(factor.axis, count, exact(step * factor.step)),)))

    def sliced(self, index: int, start: int, count: int, step: int = 1) -> Field:
        """Places start, start + step, ... of a dimension, `count` of them."""
        dim = self.dims[index]
        if (start, count, step) == (0, dim.size, 1):
            return self
        inner = dim.size - dim.before - dim.after
        if dim.before or dim.after:
            if step == 1 and start >= dim.before and start + count <= dim.before + inner:
                bare = self.replaced(index, Dim(dim.factors))
                return bare.sliced(index, start - dim.before, count)
            if step == 1 and start <= dim.before and start + count >= dim.before + inner:
                after = start + count - dim.before - inner
                return self.replaced(index, Dim(dim.factors, dim.before - start, after))
            return self.collapsed(index, opaque(count))
        if not dim.spatial:
            return self.replaced(index, opaque(count))
        factor = dim.single()
        if factor is not None:
            return self.windowed(index, start, start, step, count)
        outer, rest = dim.factors[0], dim.factors[1:]
        block = prod(f.count for f in rest)
        if step == 1 and start % block == 0 and count % block == 0:  # whole rows
            field = self.moved([(outer, start // block)])
            return field.replaced(index, Dim(tidy((replace(outer, count=count // block), *rest))))
        return self.windowed(index, start, start, step, count)

    def selected(self, index: int, place: int) -> Field:
        """One place along a dimension, which goes."""
        dim = self.dims[index]
        place %= dim.size
        if dim.before or dim.after:
            return self.collapsed(index).without(index)
        steps = []
        for factor in reversed(dim.factors):
            place, here = divmod(place, factor.count)
            steps.append((factor, here))
        return self.moved(steps).without(index)

    def permuted(self, order: Sequence[int]) -> Field:
        return self.with_dims([self.dims[i] for i in order])

    def reshaped(self, shape: Sequence[int]) -> Field:
        """Row-major view. Where a cut does not divide a factor, the whole group counts as seen."""
        field, result = self, []
        for old, new in _groups(self.shape, tuple(shape)):
            dims = [self.dims[i] for i in old]
            sizes = [shape[i] for i in new]
            if [d.size for d in dims] == sizes:
                result += dims
                continue
            regular = not any(d.before or d.after for d in dims)
            cut = _cut([f for d in dims for f in d.factors], sizes) if regular else None
            if cut is None:
                for i in old:
                    field = field.collapsed(i)
                cut = [opaque(n) for n in sizes]
            result += cut
        return field.with_dims(result)


def tidy(factors: Sequence[Factor]) -> tuple[Factor, ...]:
    """Join neighbours that count on where the other ends; drop what neither counts nor moves."""
    joined: list[Factor] = []
    for factor in factors:
        if factor.axis is None and factor.count == 1:
            continue
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.axis == factor.axis
            and (
                factor.axis is None
                or last.step == factor.step * factor.count
                or factor.count == 1
                or last.count == 1
            )
        ):
            step = factor.step if factor.count > 1 or last.count == 1 else last.step
            joined[-1] = Factor(factor.axis, last.count * factor.count, step)
        else:
            joined.append(factor)
    return tuple(joined)


def _cut(factors: Sequence[Factor], sizes: Sequence[int]) -> list[Dim] | None:
    """Deal factors out to dimensions of the given sizes, which have as many elements; None where a split does
    not divide."""
    waiting = list(tidy(factors))
    dims = []
    for size in sizes:
        taken: list[Factor] = []
        missing = size
        while missing > 1:
            factor = waiting.pop(0)
            if missing % factor.count == 0:
                taken.append(factor)
                missing //= factor.count
            elif factor.count % missing == 0:
                inner = factor.count // missing
                taken.append(Factor(factor.axis, missing, exact(factor.step * inner)))
                waiting.insert(0, replace(factor, count=inner))
                missing = 1
            else:
                return None
        dims.append(taken)
    dims[-1] += waiting  # axes of a single place
    return [Dim(tidy(taken)) for taken in dims]


def _groups(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of dimensions with equal numbers of elements on both sides of a view."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        left, right = [i], [j]
        a, b = old[i], new[j]
        i, j = i + 1, j + 1
        while a != b:
            if a < b:
                a *= old[i]
                left.append(i)
                i += 1
            else:
                b *= new[j]
                right.append(j)
                j += 1
        groups.append((left, right))
    rest = list(range(i, len(old))), list(range(j, len(new)))
    if (rest[0] or rest[1]) and groups:
        groups[-1][0].extend(rest[0])
        groups[-1][1].extend(rest[1])
    return groups


def united(fields: Sequence[Field], shape: Sequence[int], at: int) -> Field:
    """Broadcast several tensors to one shape and see what any of them sees, place by place.

    The tensor with the most positions leads. One that has no positions along an axis (a gate computed from
    all of them) widens nothing there: it only hands on that everything has been seen.
    """
    leader = max(fields, key=lambda f: f.count(0) * f.count(1))
    result = leader.with_dims(_broadcast_dims(leader, fields, shape))
    for other in fields:
        if other.seen_all is not None:
            result = result.mixed(other.seen_all)
        if other is leader:
            continue
        for axis in AXES:
            if other.count(axis) == 1 and leader.count(axis) > 1:
                result = result if other.seen_all is not None else result.mixed(at)
                continue
            low, high = _drift(result.dims, other.dims, axis)
            result = result.shifted(
                axis,
                min(0, exact(other.low[axis] + low - result.low[axis])),
                max(0, exact(other.high[axis] + high - result.high[axis])),
            )
    return result


def _broadcast_dims(leader: Field, fields: Sequence[Field], shape: Sequence[int]) -> list[Dim]:
    dims = []
    for back in range(len(shape), 0, -1):
        size = shape[-back]
        candidates = [f.dims[-back] for f in [leader, *fields] if len(f.dims) >= back]
        fitting = [d for d in candidates if d.size == size]
        dims.append(max(fitting, key=lambda d: d.spatial) if fitting else opaque(size))
    return dims


def _drift(leading: Sequence[Dim], other: Sequence[Dim], axis: int) -> tuple[Number, Number]:
    """How far the other's positions stray from the leader's over all indices: branches of unlike stride."""
    low: Number = 0
    high: Number = 0
    for back in range(1, len(leading) + 1):
        a = {f.count: f.step for f in leading[-back].factors if f.axis == axis}
        b = {f.count: f.step for f in other[-back].factors if f.axis == axis} if len(other) >= back else {}
        for count in a.keys() & b.keys():
            reach = (b[count] - a[count]) * (count - 1)
            low, high = low + min(0, reach), high + max(0, reach)
    return low, high
