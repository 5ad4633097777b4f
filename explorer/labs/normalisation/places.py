"""Where the norm stands in a network's typical block: before its layers, behind them, or nowhere.

Read off the trace, so it holds for any network that can be built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from explorer import analysis
from explorer.analysis import Op, Trace
from explorer.analysis.graph.roles import ADDITIONS
from explorer.analysis.structure.dataflow import Ways, union
from explorer.analysis.structure.hierarchy import hierarchy
from explorer.analysis.structure.op_labels import label

_LAYERS = frozenset({"spatial", "pointwise", "depthwise", "grouped", "linear", "attention"})
_CONCATENATIONS = frozenset({"cat", "concat"})
_SHORT = {
    "batch norm": "BN",
    "layer norm": "LN",
    "group norm": "GN",
    "attention": "attn",
    "matrix product": "attn",
}


@dataclass(frozen=True)
class Step:
    """One operation of a block on its main way. kind: its role (`analysis.ROLES`)."""

    kind: str
    label: str


@dataclass(frozen=True)
class Block:
    """The block that a network repeats most, as the steps of its main way.

    name: its class, or "layer" where the network has no blocks. count: how often this very sequence comes.
    placement: "pre", "post", "between" or "none", one for each way that ends in an addition, joined by " + ".
    norms: norms in the block. layers: its layers with weights.
    """

    name: str
    steps: tuple[Step, ...]
    count: int
    placement: str

    @property
    def norms(self) -> int:
        return sum(step.kind == "norm" for step in self.steps)

    @property
    def layers(self) -> int:
        return sum(step.kind in _LAYERS - {"attention"} for step in self.steps)


def typical_block(trace: Trace) -> Block:
    """Read off the trace: among equal counts the longer block counts as the more typical."""
    whole = hierarchy(trace, analysis.receptive_fields(trace))
    ways = Ways(whole)
    found: Counter[tuple[str, tuple[Step, ...]]] = Counter()
    for node in whole.root.walk():
        if node.kind == "block":
            steps = _steps([whole.ops[i] for i in node.ops], ways)
            if sum(step.kind in _LAYERS for step in steps) > 1:
                found[node.label, steps] += 1
    if not found:
        found.update(("layer", steps) for steps in _runs(ways))
    (name, steps), count = max(found.items(), key=lambda item: (item[1], len(item[0][1])))
    return Block(name, steps, count, placement(steps))


def placement(steps: Sequence[Step]) -> str:
    """One word for each way that ends in an addition.

    "pre": a norm before the first layer of the way, so the skip goes past it. "post": a norm behind the last
    layer. "between": behind the first layer only, as ConvNeXt has it. "none": no norm. A norm that stands
    behind an addition itself, as in the first transformer, makes "post-sum".
    """
    ways: list[list[Step]] = [[]]
    for step in steps:
        ways[-1].append(step)
        if step.kind == "merge" and step.label == "+":
            ways.append([])
    words = [word for way in ways if (word := _place(way))]
    after_last = any(step.kind == "norm" for step in ways[-1]) and len(ways) > 1
    if after_last and not any(step.kind in _LAYERS for step in ways[-1]):
        words.append("post-sum")
    return " + ".join(dict.fromkeys(words)) or "none"


def _place(way: Sequence[Step]) -> str:
    layers = [n for n, step in enumerate(way) if step.kind in _LAYERS]
    norms = [n for n, step in enumerate(way) if step.kind == "norm"]
    if not layers:
        return ""
    if not norms:
        return "none"
    if norms[0] < layers[0]:
        return "pre"
    return "post" if norms[-1] > layers[-1] else "between"


def _steps(ops: Sequence[Op], ways: Ways) -> tuple[Step, ...]:
    """The main way: no skip's own layers, no gates, nothing that only moves values."""
    found: list[Step] = []
    beside = _beside(ways)
    for op in ops:
        step = None if op.static or op.id in beside else _step(op, ways)
        if step and not (step.kind == "attention" and found and found[-1] == step):  # two products, one thing
            found.append(step)
    return tuple(found)


def _step(op: Op, ways: Ways) -> Step | None:
    local = op.id in ways.local
    if op.name == "linalg_vector_norm":  # over all positions; over channels it belongs to cosine attention
        return None if local else Step("norm", "GRN")
    if local and op.kind in _LAYERS | {"norm", "activation"} and op.name != "softmax":
        return Step(op.kind, _named(op))
    if op.name in _CONCATENATIONS and local:
        return Step("merge", "concat")
    passing = any((source, op.id) in ways.skips for source in op.inputs)
    return Step("merge", "+") if op.name in ADDITIONS and passing else None


def _beside(ways: Ways) -> frozenset[str]:
    """What only a skip goes through, its projection say."""
    found: set[str] = set()
    for (source, merge), kind in ways.skips.items():
        if kind == "projection":
            others = union(ways.behind[i] for i in ways.ops[merge].inputs if i != source)
            found.update(op.id for op in ways.named(ways.behind[source] & ~others))
    return frozenset(found)


def _runs(ways: Ways) -> list[tuple[Step, ...]]:
    """Each layer with what follows it up to the next: of networks that repeat no block."""
    runs: list[list[Op]] = []
    for op in ways.live:
        if op.weighted and op.id in ways.local:
            runs.append([])
        if runs:
            runs[-1].append(op)
    return [_steps(run, ways) for run in runs]


def _named(op: Op) -> str:
    if op.kind in ("spatial", "depthwise", "grouped", "pointwise"):
        kernel = "×".join(str(n) for n in op.attributes["kernel_size"])
        return {"depthwise": f"dw {kernel}", "grouped": f"g {kernel}"}.get(op.kind, kernel)
    word = label([op])
    return _SHORT.get(word, word)
