"""Where a network drops whole blocks in training (Huang et al. 2016, https://arxiv.org/abs/1603.09382).

At inference nothing is dropped, so the trace has no operation there; the modules say where the place is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle

from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.graph.roles import ADDITIONS
from explorer.analysis.structure.skips import skips

NAME = "stochastic_depth"
DROPS_WAYS = frozenset({"StochasticDepth", "DropPath"})  # class names, of torchvision and of timm


def marked(trace: Trace) -> tuple[Trace, Mapping[str, tuple[str, ...]]]:
    """The trace with an operation of no cost at each place, and which of them stand before which addition.

    A place belongs to the addition of its own block: the first to the first, the second to the second, a
    single one to all of them. It stands on the way that is not the skip.
    """
    places = _places(trace)
    if not places:
        return trace, {}
    by_passing = skips(trace)
    ops: list[Op] = []
    before: dict[str, tuple[str, ...]] = {}
    waiting = {at: cycle(found) if len(found) == 1 else iter(found) for at, found in places.items()}
    for op in trace.ops:
        main = [i for i in op.inputs if (i, op.id) not in by_passing]
        addition = op.name in ADDITIONS and len(op.inputs) == 2 and len(main) == 1
        module = next(waiting.get(op.dotted, iter(())), None) if addition else None
        if module is not None:
            mark = _mark(len(before), module, main[0], op)
            ops.append(mark)
            before[op.id] = (mark.id,)
            swapped = {main[0]: mark.id}
            op = replace(
                op,
                inputs=tuple(swapped.get(i, i) for i in op.inputs),
                operands=tuple(o._replace(source=swapped.get(o.source, o.source)) for o in op.operands),
            )
        ops.append(op)
    return replace(trace, ops=tuple(ops)), before


def _places(trace: Trace) -> Mapping[str, list[str]]:
    """Modules that drop a way, by the module they stand in. timm puts an Identity there at rate zero."""
    found: dict[str, list[str]] = defaultdict(list)
    for dotted, kind in trace.modules.items():
        parent, _, name = dotted.rpartition(".")
        if kind in DROPS_WAYS or (kind == "Identity" and name.startswith("drop_path")):
            found[parent].append(dotted)
    return found


def _mark(number: int, module: str, source: str, addition: Op) -> Op:
    return Op(
        f"{NAME}_{number}",
        "other",
        tuple(module.split(".")),
        (source,),
        addition.output_shape,
        attributes={"op": NAME},
    )
