"""The theoretical receptive field, layer by layer, of any traced network.

A layer's jump is the distance, in pixels of the input, between the fields of two neighbouring units. One
window of kernel k, dilation d widens the field by d (k - 1) jumps; one of stride s multiplies the jump by s.
Where branches meet, a unit sees the hull of both (`explorer.analysis.field.propagation`).

Araujo, Norris and Sim 2019, https://distill.pub/2019/computing-receptive-fields/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from explorer.analysis import Op, ReceptiveField, Trace, receptive_fields

Unit = tuple[int, int]  # (row, column) of a feature map
Image = tuple[int, int]  # (height, width) in pixels

WINDOWS = ("spatial", "pointwise", "depthwise", "grouped", "pool", "attention", "linear")


@dataclass(frozen=True)
class LayerField:
    """One operation that reads through a window or reaches everywhere, in the order of execution.

    label: its path, made unique. kernel, stride, dilation: its own, (height, width); kernel and dilation are
    (1, 1) for what has no window. field: what one of its units sees; its stride is the jump.
    """

    number: int
    label: str
    path: str
    kind: str
    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    output_shape: tuple[int, ...]
    field: ReceptiveField

    @property
    def size(self) -> float:
        """The longer side of the field, in pixels."""
        return max(self.field.size)

    @property
    def jump(self) -> float:
        return max(self.field.stride)


def layer_fields(trace: Trace) -> tuple[LayerField, ...]:
    """Convolutions, poolings, linear layers, attention, and whatever first reaches the whole image."""
    fields = receptive_fields(trace)
    seen: dict[str, int] = {}
    rows: list[LayerField] = []
    for op in trace.ops:
        field = fields.get(op.id)
        if field is None or not (op.kind in WINDOWS or turns_global(op, fields)):
            continue
        path = op.dotted or op.id
        seen[path] = seen.get(path, 0) + 1
        rows.append(
            LayerField(
                number=len(rows) + 1,
                label=path if seen[path] == 1 else f"{path} #{seen[path]}",
                path=path,
                kind=op.kind,
                name=op.name,
                kernel=_setting(op, "kernel_size"),
                stride=_setting(op, "stride"),
                dilation=_setting(op, "dilation"),
                output_shape=op.output_shape,
                field=field,
            )
        )
    return tuple(rows)


def field_at(trace: Trace, path: str) -> ReceptiveField | None:
    """Of a module's output: the last operation in it whose units have a place; None where none has."""
    fields = receptive_fields(trace)
    inside = [op.id for op in trace.ops if op.dotted == path or op.dotted.startswith(f"{path}.")]
    return next((fields[i] for i in reversed(inside) if i in fields and fields[i].local), None)


def turns_global(op: Op, fields: Mapping[str, ReceptiveField]) -> bool:
    """Whether an operation is the first on its way through which a unit depends on the whole image."""
    if op.id not in fields or fields[op.id].global_from is None:
        return False
    return all(fields[source].global_from is None for source in op.inputs if source in fields)


def local(layers: Iterable[LayerField]) -> tuple[LayerField, ...]:
    """Those whose units still have a place in the image: neither inside a gate nor after the last pooling."""
    return tuple(layer for layer in layers if layer.field.local)


def middle_unit(field: ReceptiveField) -> Unit:
    """The unit at the middle of the map; of an even number the later one, as in most programs."""
    return field.positions[0] // 2, field.positions[1] // 2


def central_unit(field: ReceptiveField, image: Image) -> Unit:
    """The unit whose field lies nearest to the image's middle; uneven padding shifts it from the map's."""
    row, column = (
        round(((image[axis] - 1) / 2 - field.centre[axis]) / field.stride[axis]) for axis in (0, 1)
    )
    return max(0, row), max(0, column)


def unit_at(field: ReceptiveField, down: float, across: float) -> Unit:
    """The unit at these fractions, 0 to 1, of the map's height and width."""
    rows, columns = field.positions
    return min(rows - 1, int(down * rows)), min(columns - 1, int(across * columns))


def box(field: ReceptiveField, unit: Unit) -> tuple[float, float, float, float]:
    """(top, left, bottom, right) of what a unit sees, in pixels, edges included; it may leave the image."""
    (top, bottom), (left, right) = (field.interval(axis, unit[axis]) for axis in (0, 1))
    return top, left, bottom + 1, right + 1


def seen_share(field: ReceptiveField, image: Image, unit: Unit) -> float:
    """The share of the image's pixels, 0 to 1, inside a unit's local field."""
    top, left, bottom, right = box(field, unit)
    high = max(0.0, min(image[0], bottom) - max(0.0, top))
    wide = max(0.0, min(image[1], right) - max(0.0, left))
    return high * wide / (image[0] * image[1])


def outside_share(field: ReceptiveField, image: Image, unit: Unit) -> float:
    """The share of a unit's field, 0 to 1, that lies in the padding around the image."""
    height, width = field.size
    return 1 - seen_share(field, image, unit) * image[0] * image[1] / (height * width)


def whole_image_at(layers: Sequence[LayerField], image: Image) -> LayerField | None:
    """The first layer whose middle unit's local field covers the image; None where none does."""
    covering = (la for la in local(layers) if seen_share(la.field, image, middle_unit(la.field)) == 1)
    return next(covering, None)


def every_unit_at(layers: Sequence[LayerField], image: Image) -> LayerField | None:
    """The first layer of which all units, the corners' too, cover the image with their local field."""
    for layer in local(layers):
        rows, columns = layer.field.positions
        corners = [(row, column) for row in {0, rows - 1} for column in {0, columns - 1}]
        if all(seen_share(layer.field, image, corner) == 1 for corner in corners):
            return layer
    return None


def global_at(layers: Sequence[LayerField]) -> LayerField | None:
    """The first layer through which units depend on more than their local field."""
    return next((layer for layer in layers if layer.field.global_from is not None), None)


def _setting(op: Op, name: str) -> Unit:
    value = op.attributes.get(name)
    if name == "stride" and not value:  # a pooling's stride is its kernel where nothing else is said
        value = op.attributes.get("kernel_size")
    if not value or isinstance(value, str):
        return 1, 1
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return (int(sizes[-2]), int(sizes[-1])) if len(sizes) > 1 else (int(sizes[0]), int(sizes[0]))
