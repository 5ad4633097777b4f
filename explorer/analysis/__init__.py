"""What a network IS, computed from its graph and never from its weights.

`tracing` turns a name into a `Trace` (`graph`), through `export` and the cost rules in `costs` (`einsum`);
`receptive_field` reads off it what every unit sees (`layout` is the algebra, `field_rules` the table),
`stages` folds it into stem, stages and head (`module_tree`), `stats` sums it up to the stats sheet, `memory`
estimates bytes for training and inference, `roofline` bounds each operation by a device's ceilings.

The diagram: `hierarchy` nests the trace into boxes (`folding`, `op_labels`, `stochastic_depth`), `cut` says
what is visible and what flows between it (`skips`), `placement` gives it pixels (`frames`, `layering`,
`lanes`, `cards`, `geometry`; `wrapping` breaks it into lines), `overlays`, `formulas` and `key_ideas`
(`ways`) say what stands on it, `alignment` puts two networks side by side. These are imported from their
own modules.

What traces needs torch and is imported when first used, so that geometry and finished traces do without.
"""

import importlib
from typing import TYPE_CHECKING, Any

from explorer.analysis.graph import ROLES, Idle, Op, Operand, Trace
from explorer.analysis.memory import OPTIMISERS, PRECISIONS, Memory, memory, peak_activation_bytes
from explorer.analysis.receptive_field import ReceptiveField, receptive_fields
from explorer.analysis.stages import Stage, stages
from explorer.analysis.stats import Layer, Share, Stats, stats, stats_of

if TYPE_CHECKING:
    from explorer.analysis.export import trace_module
    from explorer.analysis.tracing import ImageSizeError, trace

_HOMES = {"ImageSizeError": "tracing", "trace": "tracing", "trace_module": "export"}

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
