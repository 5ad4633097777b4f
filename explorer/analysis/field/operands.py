"""What the receptive field rules share: their signature, and how they read operands and settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from explorer.analysis.field.dimensions import AXES, Field
from explorer.analysis.graph.operations import Op

Fields = Sequence[Field | None]
Result = Field | tuple[Field, ...]

# A rule gets the operation, its position in the trace, and one Field per operand (None for parameters and
# constants), and gives the Field of its result, or a tuple of them.
Rule = Callable[[Op, int, Fields], Result]


def first_image(fields: Fields) -> Field:
    return next(f for f in fields if f is not None)


def image_fields(fields: Fields) -> list[Field]:
    return [f for f in fields if f is not None]


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """A setting given once or once an axis."""
    values = value if isinstance(value, tuple) else (value,)
    return values * count if len(values) == 1 else values


def named_dims(op: Op, rank: int, key: str = "dim") -> list[int]:
    """Dimensions named by an argument; none named means all."""
    named = op.attributes.get(key)
    named = named if isinstance(named, tuple) else () if named is None else (named,)
    return [d % rank for d in named] if named else list(range(rank))


def seen_whole(before: Sequence[Field], after: Field, at: int) -> Field:
    """Mark the result when an axis that had positions has none left: it was seen from end to end."""
    gone = any(max(f.count(axis) for f in before) > 1 and after.count(axis) == 1 for axis in AXES)
    return after.mixed(at) if gone else after


def with_marks(field: Field, fields: Sequence[Field]) -> Field:
    for other in fields:
        if other.seen_all is not None:
            field = field.mixed(other.seen_all)
    return field
