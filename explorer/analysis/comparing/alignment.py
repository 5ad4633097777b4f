"""Networks side by side: stages that work at the same scale in one row, with what differs between them.

The scale of a stage is by how many halvings its grid is smaller than the image, to the nearest whole one. So
56 x 56 of 224 stands beside 72 x 72 of 288, and AlexNet's 27 beside ResNet's 28; the sentence says both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log2

from explorer.analysis.graph.operations import Op
from explorer.analysis.numbers.overlays import OVERLAYS, formatted
from explorer.analysis.structure.hierarchy import Hierarchy, Node
from explorer.analysis.structure.op_labels import label
from explorer.analysis.structure.stages import Stage, handed_on


@dataclass(frozen=True)
class AlignedStages:
    """One scale. left, right: the stages there, None where one network has none to put beside the other's.
    resolution: (height, width) on the left, or of the one there is; (1, 1) where positions are summed away.
    differences: short sentences, left against right; () where the two are alike."""

    resolution: tuple[int, int]
    left: Node | None
    right: Node | None
    differences: tuple[str, ...]


def align(left: Hierarchy, right: Hierarchy) -> tuple[AlignedStages, ...]:
    """Every stage of both once, in the order of execution. A network may stand beside itself at another
    image size."""
    ones, others = _described(left), _described(right)
    return tuple(_row(one, other) for one, other in _pairs(ones, others))


@dataclass(frozen=True)
class Scale:
    """One scale of several networks. nodes: the stage of each, None where it has none to put beside the
    others'. resolution: as in AlignedStages, of the first that is there. differences: of each against the
    first that is there, () for that one, for those that are alike and for those that are not there."""

    resolution: tuple[int, int]
    nodes: tuple[Node | None, ...]
    differences: tuple[tuple[str, ...], ...]


def align_all(networks: Sequence[Hierarchy]) -> tuple[Scale, ...]:
    """Every stage of every network once. Each network joins the rows that those before it have made, beside
    the first stage of a row; so a row's stages agree in scale, but for heads."""
    rows: list[list[_Described | None]] = []
    for joined, network in enumerate(networks):
        rows_by_first = {id(first): row for row in rows if (first := _first(row)) is not None}
        firsts = [first for row in rows if (first := _first(row)) is not None]
        rows = [
            [*(rows_by_first[id(one)] if one is not None else [None] * joined), other]
            for one, other in _pairs(firsts, _described(network))
        ]
    return tuple(_scale(row) for row in rows)


def _first(row: Sequence[_Described | None]) -> _Described | None:
    return next((each for each in row if each is not None), None)


def _scale(row: Sequence[_Described | None]) -> Scale:
    first = _first(row)
    assert first is not None
    return Scale(
        first.stage.resolution,
        tuple(each.node if each is not None else None for each in row),
        tuple(_row(first, each).differences if each is not None else () for each in row),
    )


@dataclass(frozen=True)
class _Described:
    """A stage with what the sentences need."""

    node: Node
    stage: Stage
    ops: tuple[Op, ...]
    local: frozenset[str]
    ideas: tuple[str, ...]
    params: int
    macs: int
    network: str
    scale: int | None  # halvings of the image; None once positions are summed away

    @property
    def role(self) -> str:
        return self.stage.name.split()[0]

    @property
    def layers(self) -> list[Op]:
        return [op for op in self.ops if op.weighted and op.id in self.local]


def _described(hierarchy: Hierarchy) -> list[_Described]:
    ideas = hierarchy.ideas
    by_name = {stage.name: stage for stage in hierarchy.stages}
    image = hierarchy.trace.input_shape[-2]
    found = []
    for node in hierarchy.root.children:
        if node.kind != "stage":
            continue
        stage = by_name[node.label]
        params, macs = hierarchy.totals(node)
        gone = stage.resolution == (1, 1)
        found.append(
            _Described(
                node=node,
                stage=stage,
                ops=tuple(hierarchy.ops[i] for i in node.ops),
                local=frozenset(i for i in node.ops if i in hierarchy.fields and hierarchy.fields[i].local),
                ideas=tuple(name for name in _TOLD if not ideas.get(name, frozenset()).isdisjoint(node.ops)),
                params=params,
                macs=macs,
                network=hierarchy.trace.name,
                scale=None if gone else round(log2(image / stage.resolution[0])),
            )
        )
    return found


def _pairs(
    ones: Sequence[_Described], others: Sequence[_Described]
) -> list[tuple[_Described | None, _Described | None]]:
    """The best way to walk down both lists, pairing only what has the same scale and, where there is a
    choice, what plays the same part: stem, stage, head."""
    best: dict[tuple[int, int], int] = {}
    for i in range(len(ones), -1, -1):
        for j in range(len(others), -1, -1):
            ways = [best[i + 1, j]] if i < len(ones) else []
            ways += [best[i, j + 1]] if j < len(others) else []
            if i < len(ones) and j < len(others) and (worth := _worth(ones[i], others[j])):
                ways.append(worth + best[i + 1, j + 1])
            best[i, j] = max(ways, default=0)
    pairs: list[tuple[_Described | None, _Described | None]] = []
    i = j = 0
    while i < len(ones) or j < len(others):
        one, other = (ones[i] if i < len(ones) else None), (others[j] if j < len(others) else None)
        worth = _worth(one, other) if one is not None and other is not None else 0
        left = one is not None and best[i, j] == best[i + 1, j]
        right = other is not None and best[i, j] == best[i, j + 1]
        if worth and best[i, j] == worth + best[i + 1, j + 1]:
            pairs.append((one, other))
            i, j = i + 1, j + 1
        elif left and not (right and _is_finer(other, one)):
            pairs.append((one, None))
            i += 1
        else:
            pairs.append((None, other))
            j += 1
    return pairs


def _is_finer(one: _Described | None, other: _Described | None) -> bool:
    """Where neither has a partner, the larger grid goes first."""
    scales = [of.scale if of is not None and of.scale is not None else inf for of in (one, other)]
    return scales[0] < scales[1]


def _worth(one: _Described, other: _Described) -> int:
    if one.role == other.role == "head":
        return 2  # one may still have positions where the other has summed them away
    if one.scale != other.scale:
        return 0
    return 2 if one.role == other.role else 1


def _row(one: _Described | None, other: _Described | None) -> AlignedStages:
    if one is not None and other is not None:
        found = (write(one, other) for write in _SENTENCES)
        return AlignedStages(
            one.stage.resolution, one.node, other.node, tuple(sentence for sentence in found if sentence)
        )
    alone = one if one is not None else other
    assert alone is not None
    return AlignedStages(
        alone.stage.resolution,
        one.node if one is not None else None,
        other.node if other is not None else None,
        (f"only in {alone.network}",),
    )


def _against(title: str, read: Callable[[_Described], str]) -> Callable[[_Described, _Described], str]:
    """A sentence where two readings differ."""

    def write(one: _Described, other: _Described) -> str:
        left, right = read(one), read(other)
        return f"{title}: {left} against {right}" if left != right else ""

    return write


def _listed(names: Sequence[str], none: str) -> str:
    """Each once, in the order they come."""
    return ", ".join(dict.fromkeys(names)) or none


def _resolution(of: _Described) -> str:
    height, width = of.stage.resolution
    return f"{height} × {width}" if of.scale is not None else "no positions"


def _blocks(of: _Described) -> str:
    return f"{of.stage.repeats} × {of.stage.block.strip('_') or 'layer'}"


def _channels(of: _Described) -> str:
    if of.role == "head" and of.stage.skip != "concat":
        return str(of.ops[-1].output_shape[-1])
    return str(handed_on(of.stage, of.ops))


def _kernels(of: _Described) -> str:
    """The spatial convolutions."""
    kernels = [tuple(op.attributes.get("kernel_size", (1,))) for op in of.layers]
    sizes = sorted({kernel for kernel in kernels if max(kernel) > 1})
    return _listed(["×".join(map(str, size)) for size in sizes], "none spatial")


def _groups(of: _Described) -> str:
    named = [
        "depthwise" if op.kind == "depthwise" else str(op.attributes["groups"])
        for op in of.layers
        if op.kind in ("depthwise", "grouped")
    ]
    return _listed(sorted(named), "none")


def _norms(of: _Described) -> str:
    return _listed([label([op]) for op in of.ops if op.kind == "norm" and op.params], "none")


def _activations(of: _Described) -> str:
    """On the maps; those inside gates and attention are told with these."""
    named = [op for op in of.ops if op.kind == "activation" and (op.id in of.local or of.scale is None)]
    return _listed([label([op]) for op in named if op.name not in ("softmax", "sigmoid")], "none")


def _skips(of: _Described) -> str:
    if of.stage.skip == "concat":
        return "into concatenations"
    kinds = {"identity": of.stage.identity_skips, "projection": of.stage.projection_skips}
    return _listed([kind for kind, count in kinds.items() if count], "none")


def _ideas(one: _Described, other: _Described) -> str:
    left = [name for name in one.ideas if name not in other.ideas]
    right = [name for name in other.ideas if name not in one.ideas]
    return f"ideas: {_listed(left, 'none')} against {_listed(right, 'none')}" if left or right else ""


def _ratio(what: str, left: int, right: int) -> str:
    if left == right:
        return ""
    texts = [formatted(OVERLAYS[what], amount) for amount in (left, right)]
    if not left:
        return f"{texts[0]} against {texts[1]}"
    factor = right / left
    near = 0.995 <= factor < 1.005
    change = f"{100 * (factor - 1):+.2g} %".replace("-", "−") if near else f"× {factor:.3g}"
    return f"{texts[0]} against {texts[1]} ({change})"


# Ideas worth a sentence; kernels, groups and skips have their own.
_TOLD = (
    "squeeze-and-excitation gate",
    "split attention",
    "global response normalisation",
    "channel shuffle",
    "parallel branches",
    "factorised convolution",
    "attention",
    "inverted bottleneck",
    "bottleneck",
    "patchify stem",
)

_SENTENCES: Sequence[Callable[[_Described, _Described], str]] = (
    _against("resolution", _resolution),
    _against("blocks", _blocks),
    _against("channels", _channels),
    _against("kernels", _kernels),
    _against("groups", _groups),
    _against("norm", _norms),
    _against("activation", _activations),
    _against("skips", _skips),
    _ideas,
    lambda one, other: _ratio("params", one.params, other.params),
    lambda one, other: _ratio("macs", one.macs, other.macs),
)
