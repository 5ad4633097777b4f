"""Which boxes are of one make, and what is still said to differ."""

import pytest
import torch
from torch import Tensor, nn

from explorer.analysis import Op, trace_module
from explorer.analysis.structure.folding import differences, make
from explorer.analysis.structure.op_labels import shape


class Block(nn.Module):
    """`main` 3x3 layers beside `side` 1x1 layers; side None: nothing is added."""

    def __init__(
        self, main: int, side: int | None = 0, channels: int = 4, stride: int = 1, kernel: int = 3
    ) -> None:
        super().__init__()
        widths = [2, *[channels] * (main - 1), 2]
        strides = [stride, *[1] * (main - 1)]
        self.main = nn.Sequential(
            *(
                nn.Conv2d(a, b, kernel, s, kernel // 2)
                for a, b, s in zip(widths, widths[1:], strides, strict=False)
            )
        )
        sides = [] if side is None else [nn.Conv2d(2, 2, 1, stride if n == 0 else 1) for n in range(side)]
        self.side = None if side is None else nn.Sequential(*sides)

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) if self.side is None else self.main(x) + self.side(x)


def ops(model: nn.Module) -> list[Op]:
    found = trace_module(model, (1, 2, 8, 8), "small").ops
    return [op for op in found if op.kind not in ("input", "output")]


def same(one: nn.Module, two: nn.Module) -> bool:
    return make(ops(one), "block", "Block") == make(ops(two), "block", "Block")


def test_channels_strides_and_the_skip_do_not_part_blocks() -> None:
    assert same(Block(2), Block(2, channels=8))
    assert same(Block(2), Block(2, side=1, stride=2))


def test_layers_and_kernels_of_the_main_way_part_them() -> None:
    assert not same(Block(2), Block(3))
    assert not same(Block(2), Block(2, kernel=5))


def test_of_two_ways_of_equal_length_neither_stands_beside() -> None:
    """Both belong to the make; a projection shorter than the main way does not."""
    assert not same(Block(1, side=1), Block(1, side=0))
    assert same(Block(2, side=1), Block(2, side=0))
    kernels = [layer[2] for layer in make(ops(Block(2, side=2)), "block", "Block")[2]]
    assert sorted(kernels) == [(1, 1), (1, 1), (3, 3), (3, 3)]


def test_a_branch_that_is_joined_and_not_added_stands_on_the_main_way() -> None:
    class Joined(Block):
        def forward(self, x: Tensor) -> Tensor:
            assert self.side is not None
            return torch.cat([self.main(x), self.side(x)], 1) + 1.0

    kernels = [layer[2] for layer in make(ops(Joined(2, side=1)), "block", "Block")[2] if layer[2]]
    assert sorted(kernels) == [(1, 1), (3, 3), (3, 3)]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([Block(2), Block(2)], ()),
        ([Block(2, side=1), Block(2), Block(2)], ("skip: projection (1st), identity (2nd to 3rd)",)),
        ([Block(2), Block(2, side=None)], ("skip: identity (1st), none (2nd)",)),
        (
            [Block(2, side=1, stride=2), Block(2, side=1)],
            (f"output: {shape((1, 2, 4, 4))} (1st), {shape((1, 2, 8, 8))} (2nd)", "stride: 2 (1st), 1 (2nd)"),
        ),
        (
            [nn.Conv2d(2, 2, 1, (1, 2)), nn.Conv2d(2, 2, 1)],
            (f"output: {shape((1, 2, 8, 4))} (1st), {shape((1, 2, 8, 8))} (2nd)", "stride: 2 (1st), 1 (2nd)"),
        ),
        (
            [nn.Conv2d(2, 2, 1), nn.Sequential(nn.MaxPool2d(1), nn.Conv2d(2, 2, 1)), nn.AvgPool2d(1)],
            (
                "channels in: 2 (1st to 2nd), none (3rd)",
                "extra steps: none (1st), max pool2d (2nd), avg pool2d (3rd)",
            ),
        ),
    ],
)
def test_what_differs_is_said_with_its_places(blocks: list[nn.Module], expected: tuple[str, ...]) -> None:
    assert differences([ops(block) for block in blocks]) == expected


def test_a_layer_must_agree_in_stride_and_groups() -> None:
    plain, strided, grouped = (
        ops(layer)
        for layer in (
            nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, 2, 1), nn.Conv2d(2, 2, 3, padding=1, groups=2)
        )
    )  # fmt: skip
    makes = {make(each, "layer", "Conv2d") for each in (plain, strided, grouped)}
    assert len(makes) == 3
    assert make(plain, "layer", "Conv2d") == make(ops(nn.Conv2d(2, 8, 3, padding=1)), "layer", "Conv2d")


def place_named(*runs: int) -> str:
    """What is said of the output of layers whose width changes from run to run of so many."""
    widths = {True: ops(nn.Conv2d(2, 4, 1)), False: ops(nn.Conv2d(2, 8, 1))}
    (said,) = differences([widths[n % 2 == 0] for n, length in enumerate(runs) for _ in range(length)])
    for width, letter in ((4, "a"), (8, "b")):
        said = said.replace(shape((1, width, 8, 8)), letter)
    return said.removeprefix("output: ")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ((3, 1), "a (1st to 3rd), b (4th)"),
        ((9, 1), "a (1st to 9th), b (10th)"),
        ((11, 1, 1), "a (1st to 11th), b (12th), a (13th)"),
        ((20, 1, 1, 1), "a (1st to 20th), b (21st), a (22nd), b (23rd)"),
        ((110, 1, 9, 1), "a (1st to 110th), b (111th), a (112th to 120th), b (121st)"),
        ((1,) * 6, "a (1st), b (2nd), a (3rd), b (4th), a (5th), b (6th)"),
        ((1,) * 7, "a (1st), b (2nd) … a (7th)"),
        ((1, 1, 1, 2, 1, 1, 1), "a (1st), b (2nd), a (3rd), b (4th to 5th), a (6th), b (7th), a (8th)"),
    ],
)
def test_places_are_counted_as_in_speech(runs: tuple[int, ...], said: str) -> None:
    assert place_named(*runs) == said


def test_channels_in_of_a_layer_without_such_a_setting_are_its_last_axis() -> None:
    class Rows(nn.Module):
        def __init__(self, transposed: bool) -> None:
            super().__init__()
            self.transposed = transposed
            self.weight = nn.Parameter(torch.ones(4 if transposed else 8, 8))

        def forward(self, x: Tensor) -> Tensor:
            x = x[:, :, :4].transpose(2, 3) if self.transposed else x[:, :, :4]
            return x.transpose(0, 1) @ self.weight

    assert differences([ops(Rows(False)), ops(Rows(True))])[0] == "channels in: 8 (1st), 4 (2nd)"
