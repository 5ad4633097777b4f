"""The network as nested boxes: stages, blocks, the modules inside them, single operations.

Read off the trace: a box is a run of consecutive operations that stand in one module, so boxes nest and the
graph between the boxes of any level has no cycle. Consecutive siblings of one make fold into one box "x N",
as the papers draw them, and say what differs inside.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from explorer.analysis.field.propagation import ReceptiveField
from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.structure.folding import differences, make
from explorer.analysis.structure.module_tree import CONTAINERS
from explorer.analysis.structure.op_labels import block_name, detail, label, shape, telling
from explorer.analysis.structure.skips import skips
from explorer.analysis.structure.stages import Stage, stages
from explorer.analysis.structure.stochastic_depth import marked

IDLE = "idle"  # id of the leaf that stands for parameters which no operation uses
MOST_CHILDREN = 60
_LONGEST_PATTERN = 6


@dataclass(frozen=True)
class Node:
    """A box of the diagram, or one operation.

    id: unique in its network and stable, for links. kind: "network", "stage", "block", "module", "fold",
    "part" (of a box with too many members), or for a leaf its role (`operations.ROLES`). label and
    detail: its two lines of text. path: dotted path of its module, "" for stages, folds and parts. ops:
    ids of all operations inside, in order of execution. count: how many members a fold has. differs: what is
    not the same in all of them.
    """

    id: str
    kind: str
    label: str
    ops: tuple[str, ...]
    detail: str = ""
    path: str = ""
    children: tuple[Node, ...] = ()
    count: int = 1
    differs: tuple[str, ...] = ()

    @property
    def leaf(self) -> bool:
        return not self.children

    def walk(self) -> Iterator[Node]:
        """Itself and everything below, boxes before what is in them."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Hierarchy:
    """A trace, with the places of stochastic depth marked, and its boxes. Input and output are leaves of the
    root, beside the stages."""

    trace: Trace
    root: Node
    stages: tuple[Stage, ...]
    fields: Mapping[str, ReceptiveField]

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.root.walk()}

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """Child id -> id of the box it lies in."""
        return {child.id: node.id for node in self.root.walk() for child in node.children}

    @cached_property
    def ops(self) -> Mapping[str, Op]:
        return self.trace.by_id()

    @cached_property
    def skips(self) -> Mapping[tuple[str, str], str]:
        """What passes by, as in `skips.skips`; every view of the network asks for it."""
        return skips(self.trace)

    @cached_property
    def ideas(self) -> Mapping[str, frozenset[str]]:
        """The key ideas that can be pointed out in it, as in `key_ideas.key_ideas`; every drawing asks."""
        from explorer.analysis.structure.key_ideas import key_ideas

        return key_ideas(self)

    def ancestors(self, node_id: str) -> tuple[str, ...]:
        """Ids from the root down to the box it lies in."""
        found: list[str] = []
        while node_id in self.parents:
            node_id = self.parents[node_id]
            found.append(node_id)
        return tuple(reversed(found))

    def totals(self, node: Node) -> tuple[int, int]:
        """(parameters, MACs) of everything inside."""
        held = [self.ops[i] for i in node.ops]
        idle = sum(p.params for p in self.trace.idle) if node.id in (IDLE, self.root.id) else 0
        return sum(op.params for op in held) + idle, sum(op.macs for op in held)


def hierarchy(
    trace: Trace, fields: Mapping[str, ReceptiveField], found: tuple[Stage, ...] | None = None
) -> Hierarchy:
    """Boxes for one trace. fields: its receptive fields (`receptive_fields`). found: its stages (`stages`),
    where they are known already.
    """
    found = stages(trace, fields) if found is None else found
    trace, held = marked(trace)
    order = {op.id: number for number, op in enumerate(trace.ops)}
    build = _Builder(trace, order)
    nodes: list[Node] = []
    ports = [op for op in trace.ops if op.kind in ("input", "output")]
    members = [[i for op in stage.ops for i in (*held.get(op, ()), op)] for stage in found]
    members = [sorted(set(ids) - {port.id for port in ports}, key=order.__getitem__) for ids in members]
    if len(found) > 1 and found[-1].name == "head":
        tail = _summing_up(build.pick(members[-2]), fields)
        members[-1] = [*members[-2][tail:], *members[-1]]
        members[-2] = members[-2][:tail]
    for stage, ids in zip(found, members, strict=True):
        if ids:
            nodes.append(build.stage(stage, build.pick(ids)))
    nodes += [build.leaf([op]) for op in ports]
    nodes.sort(key=lambda node: order[node.ops[0]])
    if trace.idle:
        idle = sum(parameter.params for parameter in trace.idle)
        nodes.append(Node(IDLE, "other", "idle at inference", (), f"{idle:,} parameters"))
    root = Node("network", "network", trace.name, tuple(op.id for op in trace.ops), children=tuple(nodes))
    return Hierarchy(trace, root, found, fields)


def _summing_up(ops: Sequence[Op], fields: Mapping[str, ReceptiveField]) -> int:
    """Where, after its last layer, a stage's operations no longer have places: the head begins there."""
    at = len(ops)
    while at and not ops[at - 1].macs and not (ops[at - 1].id in fields and fields[ops[at - 1].id].local):
        at -= 1
    return at or len(ops)


class _Builder:
    def __init__(self, trace: Trace, order: Mapping[str, int]) -> None:
        self.trace = trace
        self.ops = trace.by_id()
        self.taken = dict.fromkeys(order, 1)

    def pick(self, ids: Sequence[str]) -> list[Op]:
        return [self.ops[i] for i in ids]

    def name(self, wanted: str) -> str:
        """A module that runs twice is two boxes: "layer" and "layer@2"."""
        self.taken[wanted] = self.taken.get(wanted, 0) + 1
        return wanted if self.taken[wanted] == 1 else f"{wanted}@{self.taken[wanted]}"

    def stage(self, stage: Stage, ops: Sequence[Op]) -> Node:
        name = self.name(stage.name.replace(" ", "-"))
        units = {tuple(path.split(".")) for path in stage.units if path}
        homes = [self._home(op, units) for op in ops]
        children: list[Node] = []
        for (home, _), pairs in groupby(
            zip(homes, ops, strict=True), key=lambda pair: (pair[0], pair[0] or pair[1].path or pair[1].id)
        ):
            run = [op for _, op in pairs]
            if home is not None:
                children.append(self.box(home, run, "block"))
            elif telling(run):
                children.append(self.leaf(run))
            else:
                children += [self.leaf([op]) for op in run]
        children = self.tidy(children)
        grid = stage.resolution if stage.resolution != (1, 1) else ()
        out = ops[-1].output_shape
        where = shape(out if grid and out[2:] == grid else (1, stage.channels, *grid))
        return Node(name, "stage", stage.name, _ids(ops), where, children=_parts(name, children))

    def _home(self, op: Op, units: set[tuple[str, ...]]) -> tuple[str, ...] | None:
        return next((op.path[:d] for d in range(len(op.path), 0, -1) if op.path[:d] in units), None)

    def box(self, path: tuple[str, ...], ops: Sequence[Op], kind: str = "module") -> Node:
        """What a module does in one call, as a box; as a leaf where it is one thing."""
        children: list[Node] = []
        for part, pairs in groupby(
            ((op.path[: len(path) + 1] if len(op.path) > len(path) else None, op) for op in ops),
            key=lambda pair: pair[0] or pair[1].id,
        ):
            run = [op for _, op in pairs]
            inner = isinstance(part, tuple)
            children.append(self.box(part, run) if inner and len(run) > 1 else self.leaf(run))
        if kind == "module" and telling(ops):
            return self.leaf(ops)
        children = self.tidy(self._dissolved(children))
        if len(children) == 1 and (children[0].leaf or kind == "module"):
            return children[0]
        if len(children) == 1:
            children = list(children[0].children)
        dotted = ".".join(path)
        name = self.name(dotted)
        title = block_name(self.trace.modules.get(dotted, ""), path, ops)
        return Node(name, kind, title, _ids(ops), shape(ops[-1].output_shape), dotted, _parts(name, children))

    def _dissolved(self, children: Sequence[Node]) -> list[Node]:
        """A bare Sequential that holds most of a block's layers is the block's main way, not a part of it."""
        weights = [sum(op.weighted for op in self.pick(child.ops)) for child in children]
        out: list[Node] = []
        for child, weight in zip(children, weights, strict=True):
            container = self.trace.modules.get(child.path, "") in CONTAINERS
            main = child.kind == "module" and container and 2 * weight > sum(weights)
            out += child.children if main else [child]
        return out

    def leaf(self, ops: Sequence[Op]) -> Node:
        """One operation, with the reshaping that its module does around it."""
        main = telling(ops) or ops[-1]
        return Node(main.id, main.kind, label(ops), _ids(ops), detail(ops), main.dotted)

    def tidy(self, nodes: Sequence[Node]) -> list[Node]:
        """Runs of mere reshaping, and of tables that no image touches, become one leaf; then repeats fold."""
        return self.folded(self._merged(nodes))

    def _merged(self, nodes: Sequence[Node]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            last = out[-1] if out else None
            if last is not None and last.leaf and node.leaf and self._one_thing(last, node):
                out[-1] = self.leaf(self.pick([*last.ops, *node.ops]))
            else:
                out.append(node)
        return out

    def _one_thing(self, last: Node, node: Node) -> bool:
        before, here = self.pick(last.ops), self.pick(node.ops)
        if all(op.static for op in (*before, *here)):
            return True
        if any(op.kind != "reshape" or op.static for op in (*before, *here)):
            return False
        inside = set(last.ops)
        return all(set(op.inputs) <= inside for op in here)

    def folded(self, nodes: Sequence[Node]) -> list[Node]:
        """The longest repeat at each place, shorter patterns first where two cover the same."""
        makes = [make(self.pick(node.ops), node.kind, node.label) for node in nodes]
        out: list[Node] = []
        at = 0
        while at < len(nodes):
            best = (0, 1, 1)  # (covered, pattern, times)
            for pattern in range(1, min(_LONGEST_PATTERN, (len(nodes) - at) // 2) + 1):
                times = self._times(nodes, makes, at, pattern)
                if times > 1 and pattern * times > best[0]:
                    best = (pattern * times, pattern, times)
            covered, pattern, times = best
            if not covered:
                out.append(nodes[at])
                at += 1
                continue
            members = [nodes[at + n * pattern : at + (n + 1) * pattern] for n in range(times)]
            out.append(self._fold(members))
            at += covered
        return out

    def _times(self, nodes: Sequence[Node], makes: list[Hashable], at: int, pattern: int) -> int:
        """How often the pattern stands here, each copy fed by the one before. A pattern begins
        with a layer that has weights."""
        first = makes[at : at + pattern]
        if not any(op.weighted for op in self.pick(nodes[at].ops)):
            return 1
        times = 1
        while makes[at + times * pattern : at + (times + 1) * pattern] == first and self._feeds(
            nodes[at + (times - 1) * pattern : at + times * pattern],
            nodes[at + times * pattern : at + (times + 1) * pattern],
        ):
            times += 1
        return times

    def _feeds(self, one: Sequence[Node], other: Sequence[Node]) -> bool:
        made = {i for node in one for i in node.ops}
        return any(source in made for node in other for op in self.pick(node.ops) for source in op.inputs)

    def _fold(self, members: Sequence[Sequence[Node]]) -> Node:
        grouped = [self._member(member) for member in members]
        first = grouped[0]
        name = self.name(f"{first.id}..{grouped[-1].id.rpartition('.')[2]}")
        return Node(
            name,
            "fold",
            first.label,
            tuple(i for member in grouped for i in member.ops),
            grouped[-1].detail,
            children=_parts(name, grouped),
            count=len(grouped),
            differs=differences([self.pick(member.ops) for member in grouped]),
        )

    def _member(self, nodes: Sequence[Node]) -> Node:
        if len(nodes) == 1:
            return nodes[0]
        ops = tuple(i for node in nodes for i in node.ops)
        title = " + ".join(dict.fromkeys(node.label for node in nodes))
        name = self.name(f"{nodes[0].id}+{len(nodes) - 1}")
        return Node(name, "part", title, ops, nodes[-1].detail, children=tuple(nodes))


def _ids(ops: Sequence[Op]) -> tuple[str, ...]:
    return tuple(op.id for op in ops)


def _parts(name: str, children: Sequence[Node]) -> tuple[Node, ...]:
    """No box shows more than a screenful: more members are handed out in parts of nearly equal length."""
    if len(children) <= MOST_CHILDREN:
        return tuple(children)
    parts = -(-len(children) // MOST_CHILDREN)
    cuts = [round(n * len(children) / parts) for n in range(parts + 1)]
    return tuple(
        Node(
            f"{name}/{number}",
            "part",
            f"part {number} of {parts}",
            tuple(i for child in children[start:end] for i in child.ops),
            f"{end - start} boxes",
            children=tuple(children[start:end]),
        )
        for number, (start, end) in enumerate(pairwise(cuts), start=1)
    )
