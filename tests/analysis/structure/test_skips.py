"""What passes by: identity, projection, and from where on a way is a branch in its own right."""

import pytest
import torch
from torch import Tensor, nn

from explorer.analysis import trace_module
from explorer.analysis.structure.skips import skips


class Beside(nn.Module):
    """main(x) + side(x); None stands for x itself."""

    def __init__(self, main: int, side: int | None) -> None:
        super().__init__()
        self.main = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(main)))
        self.side = (
            None if side is None else nn.Sequential(*(nn.Conv2d(2, 2, 1, bias=False) for _ in range(side)))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + (x if self.side is None else self.side(x))


def kinds(model: nn.Module) -> list[str]:
    return list(skips(trace_module(model, (1, 2, 8, 8), "small")).values())


@pytest.mark.parametrize(
    ("main", "side", "expected"),
    [
        (3, None, ["identity"]),
        (1, None, ["identity"]),
        (3, 1, ["projection"]),
        (3, 2, ["projection"]),
        (4, 3, []),  # three layers are a branch
        (2, 2, []),  # neither is the shorter way
        (1, 1, []),
    ],
)
def test_the_shorter_of_two_ways_is_a_skip_of_up_to_two_layers(
    main: int, side: int | None, expected: list[str]
) -> None:
    assert kinds(Beside(main, side)) == expected


def test_a_skip_that_pools_or_pads_is_called_so() -> None:
    class Reduced(nn.Module):
        def __init__(self, padded: bool) -> None:
            super().__init__()
            self.main = nn.Conv2d(2, 4 if padded else 2, 3, 2, 1)
            self.padded = padded

        def forward(self, x: Tensor) -> Tensor:
            side = x[:, :, ::2, ::2] if self.padded else nn.functional.avg_pool2d(x, 2)
            return self.main(x) + (nn.functional.pad(side, (0, 0, 0, 0, 1, 1)) if self.padded else side)

    assert kinds(Reduced(padded=False)) == ["pooled"]
    assert kinds(Reduced(padded=True)) == ["padded"]


def test_a_concatenation_hands_on_what_the_rest_was_made_from() -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Conv2d(2, 2, 3, padding=1)
            self.two = nn.Conv2d(4, 2, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.cat([x, self.one(x)], 1)
            return torch.cat([x, self.two(x)], 1)

    class Branches(Dense):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.one(x), self.one(x)], 1)

    assert kinds(Dense()) == ["concat", "concat"]
    assert kinds(Branches()) == []


def test_layers_behind_the_addition_do_not_lengthen_a_way() -> None:
    behind = nn.Sequential(*(nn.Conv2d(2, 2, 1) for _ in range(3)))
    assert kinds(nn.Sequential(Beside(2, 2), behind)) == []
    assert kinds(nn.Sequential(Beside(3, None), behind)) == ["identity"]


def test_one_of_several_made_from_it_is_enough_for_a_concatenation_to_hand_on() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(2, 2, 1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            first = self.layers[0](x)
            return torch.cat([first, self.layers[1](first), self.layers[2](x)], 1)

    assert kinds(Mixed()) == ["concat"]


def test_the_skip_is_the_input_of_the_addition_that_took_the_shorter_way() -> None:
    traced = trace_module(Beside(3, None), (1, 2, 8, 8), "small")
    addition = next(op.id for op in traced.ops if op.name == "add")
    assert set(skips(traced)) == {(traced.ops[0].id, addition)}


def test_what_pools_or_pads_elsewhere_does_not_name_a_skip() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main = nn.Conv2d(2, 2, 3, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.main(x) + x[:, :, ::2, ::2]

    assert kinds(nn.Sequential(nn.ZeroPad2d(1), nn.AvgPool2d(2), Cut())) == ["identity"]
    assert kinds(nn.Sequential(nn.ZeroPad2d(1), nn.AvgPool2d(2), Beside(1, None))) == ["identity"]
