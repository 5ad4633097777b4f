"""What a drawing opens with shows what the sentence on what to look for speaks of."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import pytest

from explorer import catalogue
from explorer.analysis import receptive_fields, trace
from explorer.analysis.diagram.cut import Cut, cut
from explorer.analysis.graph.operations import Op
from explorer.analysis.structure.hierarchy import Hierarchy, Node, hierarchy
from explorer.analysis.structure.key_ideas import key_ideas, main_ideas
from explorer.analysis.structure.opening import Opening, opening

BUILT = [each for each in catalogue.architectures().values() if each.builders]
# A screenful; boxes beside the one that is open count, and what is wide is looked at in parts.
MOST_NODES = 60


@dataclass(frozen=True)
class Opened:
    """A network as its page opens."""

    tree: Hierarchy
    first: Opening
    lit: frozenset[str]

    @cached_property
    def shown(self) -> Cut:
        return cut(self.tree, self.first.open)

    @cached_property
    def drawn(self) -> list[tuple[Node, list[Op]]]:
        return [(node, [self.tree.ops[op] for op in node.ops]) for node in self.shown.nodes]

    def node(self, wanted: Callable[[Op], object], *, lit: bool = True) -> bool:
        """Whether a card of one layer at most is drawn, and lit, that holds such an operation."""
        return any(
            sum(op.weighted for op in ops) <= 1
            and any(wanted(op) and (not lit or op.id in self.lit) for op in ops)
            for _, ops in self.drawn
        )

    def kernel(self, *size: int, kind: str = "") -> bool:
        """Whether a convolution of this kernel is drawn and lit."""
        return self.node(lambda op: _kernel(op) == size and kind in ("", op.kind))

    def skip(self) -> bool:
        """Whether a line is drawn that passes something by and ends in a lit sum."""
        return any(
            edge.skip
            and any(op in self.lit and self.tree.ops[op].name.startswith("add") for _, op in edge.ops)
            for edge in self.shown.edges
        )


def _kernel(op: Op) -> tuple[int, ...]:
    return tuple(op.attributes.get("kernel_size", ()))


def _opened(name: str, ideas: Collection[str] | None = None) -> Opened:
    traced = trace(name)
    tree = hierarchy(traced, receptive_fields(traced))
    found = key_ideas(tree)
    wanted = [found[idea] for idea in (main_ideas(name, found) if ideas is None else ideas)]
    return Opened(tree, opening(tree, wanted), frozenset().union(*wanted))


def _gate(page: Opened) -> bool:
    """Pooled, weighed, squashed, multiplied: each of them a lit card."""
    return all(
        page.node(wanted)
        for wanted in (
            lambda op: op.kind == "pool" or op.name == "mean",
            lambda op: op.weighted and op.kind in ("pointwise", "linear"),
            lambda op: op.name.rstrip("_") in ("sigmoid", "hardsigmoid"),
            lambda op: op.name.rstrip("_") == "mul",
        )
    )


def _thin_wide_thin(page: Opened) -> bool:
    widths = [
        op.attributes["out_channels"]
        for _, ops in page.drawn
        for op in ops
        if op.id in page.lit and op.kind in ("pointwise", "depthwise")
    ]
    wide = max(widths)
    return page.node(lambda op: op.kind == "depthwise") and any(3 * each < wide for each in widths)


def _branches(page: Opened) -> bool:
    lit_joins = [
        node.id for node, ops in page.drawn if any(op.name == "cat" and op.id in page.lit for op in ops)
    ]
    return any(sum(edge.target == join for edge in page.shown.edges) == 4 for join in lit_joins)


# What a sentence says -> whether that is in the picture.
SUBJECTS: dict[str, Callable[[Opened], bool]] = {
    r"^Convolve, subsample": lambda page: (
        sum(op.kind == "pool" for _, ops in page.drawn for op in ops if op.id in page.lit) == 2
        and page.kernel(5, 5)
    ),
    r"Big kernels first \(11, 5": lambda page: page.kernel(11, 11) and page.kernel(5, 5),
    r"fully connected": lambda page: page.node(lambda op: op.kind == "linear"),
    r"first convolution: 7x7": lambda page: page.kernel(7, 7),
    r"Stacks of 3x3": lambda page: (
        page.kernel(3, 3) and page.node(lambda op: op.kind == "pool" and _kernel(op) == (2, 2), lit=False)
    ),
    r"Four parallel branches": _branches,
    r"1x7 and 7x1": lambda page: page.kernel(1, 7) and page.kernel(7, 1),
    r"split once more into 1x3 and 3x1": lambda page: page.kernel(1, 3) and page.kernel(3, 1),
    r"no line that jumps": lambda page: page.kernel(3, 3) and not any(e.skip for e in page.shown.edges),
    r"(?<!no )line that jumps|diagram is that of ResNet-50|[Ss]hortcuts? |^Blocks with": Opened.skip,
    r"bottleneck": lambda page: page.kernel(1, 1) and page.kernel(3, 3),
    r"narrow neck": lambda page: (
        page.node(lambda op: op.kind == "pointwise" and op.attributes["out_channels"] == 16)
        and sum(len([op for op in ops if _kernel(op)]) for _, ops in page.drawn) > 3
        and page.node(lambda op: op.name == "cat")
    ),
    r"^Concatenations": lambda page: page.node(lambda op: op.name == "cat"),
    r"grouped 3x3|64 groups": lambda page: page.kernel(3, 3, kind="grouped"),
    r"side path: pool|[Gg]ates? (that|on|in)|a gate in|gate in each block": _gate,
    r"shuffle": lambda page: page.node(lambda op: op.name in ("transpose", "channel_shuffle")),
    r"two grouped 1x1": lambda page: page.kernel(1, 1, kind="grouped"),
    r"The split at the start of each unit": lambda page: page.node(lambda op: op.name in ("chunk", "split")),
    r"depthwise 3x3": lambda page: page.kernel(3, 3, kind="depthwise"),
    r"Thin, wide, thin": _thin_wide_thin,
    r"shortcut: average pooling": lambda page: page.node(lambda op: op.kind == "pool"),
    r"pooling that comes before the last": lambda page: page.node(
        lambda op: op.kind == "pool" and op.output_shape[2:] == (1, 1), lit=False
    ),
    r"without the gates": lambda page: (
        _thin_wide_thin(page) and not page.node(lambda op: op.name.startswith("sigmoid"), lit=False)
    ),
    r"weighs the branches": lambda page: page.node(lambda op: op.name == "softmax"),
    r"one repeated block": lambda page: (
        page.node(lambda op: op.kind == "grouped")
        and sum(node.kind == "stage" for node in page.tree.root.children) == 6  # with stem and head
    ),
    r"one 16x16 convolution": lambda page: page.kernel(16, 16),
    r"attention only|blocks as ViT|windows": lambda page: page.node(lambda op: op.kind == "attention"),
    r"shifted windows": lambda page: page.node(lambda op: op.name == "roll"),
    r"^ResNet-D's stem": lambda page: page.kernel(3, 3),
    r"plain 3x3 blocks": lambda page: page.kernel(3, 3, kind="spatial"),
    r"7x7 depthwise, LayerNorm": lambda page: (
        page.kernel(7, 7, kind="depthwise")
        and page.node(lambda op: op.weighted and op.kind in ("linear", "pointwise"))
        and page.node(lambda op: op.name == "layer_norm", lit=False)
        and page.node(lambda op: op.name.startswith("gelu"), lit=False)
    ),
    r"GRN": lambda page: page.node(lambda op: op.name == "linalg_vector_norm"),
}


@pytest.mark.parametrize("name", [each.id for each in BUILT])
def test_what_to_look_for_is_in_the_picture(name: str) -> None:
    sentence = catalogue.get(name).key
    asked = {words: shows for words, shows in SUBJECTS.items() if re.search(words, sentence)}
    assert asked, f"nothing here tests {sentence!r}"
    page = _opened(name)
    assert len(page.shown.nodes) <= MOST_NODES
    assert {words for words, shows in asked.items() if not shows(page)} == set(), sentence


def test_an_idea_that_no_block_holds_opens_a_stage() -> None:
    page = _opened("vgg19_bn", ["stacked 3×3 convolutions"])
    assert page.first.centre == "stage-3"  # the first of the three with four layers
    assert {"stage-1", "head"}.isdisjoint(page.first.open)


def test_without_an_idea_nothing_is_unfolded() -> None:
    page = _opened("resnet50", [])
    assert page.first == Opening()


def test_the_usual_block_is_unfolded_and_no_other() -> None:
    """Of ResNet-50's 16 blocks twelve have a skip without weights."""
    page = _opened("resnet50")
    assert page.first.centre == "layer1.1"
    blocks = [box for box in page.first.open if page.tree.by_id[box].kind == "block"]
    assert blocks == ["layer1.1"]


def test_two_ideas_of_one_block_are_shown_in_one() -> None:
    page = _opened("efficientnet_b0", ["inverted bottleneck", "squeeze-and-excitation gate"])
    assert sum(page.tree.by_id[box].kind == "block" for box in page.first.open) == 1
