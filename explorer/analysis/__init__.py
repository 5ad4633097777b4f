"""What a network IS, computed from its graph and never from its weights.

An import runs only upwards in this list:

    graph      a name becomes a `Trace`: operations, shapes, costs; kept on disk
    field      what every unit sees of the picture
    structure  the trace as stages and nested blocks, with skips, names and the key idea
    numbers    the stats sheet, memory, roofline, formulas, values by layer
    diagram    what of the nesting is visible, and where it stands in pixels
    choosing   published weights by accuracy, cost and licence
    comparing  two networks side by side

What traces needs torch and is imported when first used, so that geometry and finished traces do without.
"""

from typing import TYPE_CHECKING

from explorer import lazy
from explorer.analysis.field.propagation import ReceptiveField, receptive_fields
from explorer.analysis.graph.operations import ROLES, Idle, Op, Operand, Trace
from explorer.analysis.numbers.memory import OPTIMISERS, PRECISIONS, Memory, memory, peak_activation_bytes
from explorer.analysis.numbers.stats import Layer, Share, Stats, stats, stats_of
from explorer.analysis.structure.stages import Stage, stages

if TYPE_CHECKING:
    from explorer.analysis.graph.reading import trace_module
    from explorer.analysis.graph.tracing import ImageSizeError, trace

__all__ = [
    "OPTIMISERS",
    "PRECISIONS",
    "ROLES",
    "Idle",
    "ImageSizeError",
    "Layer",
    "Memory",
    "Op",
    "Operand",
    "ReceptiveField",
    "Share",
    "Stage",
    "Stats",
    "Trace",
    "memory",
    "peak_activation_bytes",
    "receptive_fields",
    "stages",
    "stats",
    "stats_of",
    "trace",
    "trace_module",
]


__getattr__ = lazy.attributes(
    __name__,
    {
        "graph.tracing": ("ImageSizeError", "trace"),
        "graph.reading": ("trace_module",),
    },
)
