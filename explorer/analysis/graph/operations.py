"""The network as data: operations, the edges between them, and the modules they stand in.

Everything structural (stats, receptive fields, stages, diagrams, memory) reads a `Trace` and nothing else, so
a `Trace` must survive JSON unchanged: attributes hold numbers, strings, booleans, None and tuples of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ROLES = (
    "input",
    "spatial",
    "pointwise",
    "depthwise",
    "grouped",
    "linear",
    "attention",
    "norm",
    "activation",
    "pool",
    "merge",
    "reshape",
    "other",
    "output",
)


class Operand(NamedTuple):
    """One tensor that an operation reads.

    source is the id of an operation, "param:NAME" for a parameter, or "constant" (buffers and literals).
    learnt: it is a parameter, or computed of parameters alone (a standardised weight).
    """

    argument: str
    source: str
    shape: tuple[int, ...]
    learnt: bool = False

    @property
    def is_parameter(self) -> bool:
        return self.source.startswith("param:")


@dataclass(frozen=True)
class Op:
    """One operation of one forward pass.

    path is where it stands in the module tree, ("layer1", "0", "conv1"); () is the network itself. inputs are
    the operations whose results it reads. params are those of the parameters it is the first to use.
    attributes["op"] is the ATen name; the rest are its arguments by their ATen names, for convolutions also
    in_channels and out_channels. `static` operations do not depend on the image (a table of position biases).
    """

    id: str
    kind: str
    path: tuple[str, ...]
    inputs: tuple[str, ...]
    output_shape: tuple[int, ...]
    params: int = 0
    macs: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    operands: tuple[Operand, ...] = ()
    activations: int = 0
    static: bool = False

    @property
    def name(self) -> str:
        """The ATen name without namespace and overload: "conv2d"."""
        return str(self.attributes.get("op", self.kind))

    @property
    def dotted(self) -> str:
        return ".".join(self.path)

    @property
    def weighted(self) -> bool:
        """Whether it multiplies the image's signal by learned weights: a convolution, a linear or a recurrent
        layer."""
        if not self.macs or self.static:
            return False
        return any(o.is_parameter or (o.learnt and o.argument == "weight") for o in self.operands)


class Idle(NamedTuple):
    """A parameter that the forward pass in evaluation mode never touches (auxiliary classifiers)."""

    name: str
    params: int


@dataclass(frozen=True)
class Trace:
    """A network at one input size. ops are in the order of execution, modules maps a dotted path to its
    class. uncounted: names of operations that multiply and add and have no rule that says how much. fusible:
    its modules know a form of their own for deployment (`networks.deploying`). decided_by: the operation that
    first asked for values of the image to decide what comes next, and where it stands; then these are the
    operations for one image, of normal noise. "" where all images take one way."""

    name: str
    ops: tuple[Op, ...]
    modules: Mapping[str, str]
    input_shape: tuple[int, ...]
    idle: tuple[Idle, ...] = ()
    buffer_bytes: int = 0
    uncounted: tuple[str, ...] = ()
    fusible: bool = False
    decided_by: str = ""

    @property
    def params(self) -> int:
        return sum(op.params for op in self.ops) + sum(p.params for p in self.idle)

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)

    @property
    def activations(self) -> int:
        return sum(op.activations for op in self.ops)

    def by_id(self) -> dict[str, Op]:
        return {op.id: op for op in self.ops}


def freeze(value: Any) -> Any:
    """Lists to tuples all the way down: what JSON gives back equals what went in."""
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    if isinstance(value, dict):
        return {k: freeze(v) for k, v in value.items()}
    return value


def to_json(trace: Trace) -> dict[str, Any]:
    return {
        "name": trace.name,
        "input_shape": trace.input_shape,
        "modules": dict(trace.modules),
        "idle": trace.idle,
        "buffer_bytes": trace.buffer_bytes,
        "uncounted": trace.uncounted,
        "fusible": trace.fusible,
        "decided_by": trace.decided_by,
        "ops": [{**vars(op), "attributes": dict(op.attributes)} for op in trace.ops],
    }


def from_json(data: Mapping[str, Any]) -> Trace:
    """Raises KeyError, TypeError or ValueError on anything that `to_json` did not write."""
    ops = []
    for row in data["ops"]:
        row = {key: freeze(value) for key, value in row.items()}
        row["operands"] = tuple(Operand(*operand) for operand in row["operands"])
        ops.append(Op(**row))
    return Trace(
        name=data["name"],
        ops=tuple(ops),
        modules=dict(data["modules"]),
        input_shape=freeze(data["input_shape"]),
        idle=tuple(Idle(*row) for row in data["idle"]),
        buffer_bytes=int(data["buffer_bytes"]),
        uncounted=freeze(data["uncounted"]),
        fusible=bool(data["fusible"]),
        decided_by=str(data["decided_by"]),
    )
