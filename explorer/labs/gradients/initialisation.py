"""How a network's weights start: five rules, each a function of one weight tensor, and what each keeps equal.

Each fills a weight [out, in, ...] without groups in place from a generator. Networks trained here start by
`explorer.networks.initialising`; this lab needs the rules side by side.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Generator, Tensor, nn

from explorer.networks.initialising import fans

NAIVE_STD = 0.01


def kaiming_std(fan_in: int) -> float:
    """sqrt(2 / fan_in): He et al. 2015, https://arxiv.org/abs/1502.01852, equation 10."""
    return math.sqrt(2 / fan_in)


def xavier_std(fan_in: int, fan_out: int) -> float:
    """sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010, equation 12."""
    return math.sqrt(2 / (fan_in + fan_out))


def kaiming(weight: Tensor, generator: Generator) -> None:
    weight.normal_(0, kaiming_std(fans(weight)[0]), generator=generator)


def xavier(weight: Tensor, generator: Generator) -> None:
    weight.normal_(0, xavier_std(*fans(weight)), generator=generator)


def naive(weight: Tensor, generator: Generator) -> None:
    """A small number for all layers, as AlexNet had it: standard deviation 0.01."""
    weight.normal_(0, NAIVE_STD, generator=generator)


def orthogonal(weight: Tensor, generator: Generator) -> None:
    """Rows of length 1 at right angles: Saxe et al. 2013, https://arxiv.org/abs/1312.6120."""
    nn.init.orthogonal_(weight, generator=generator)


@dataclass(frozen=True)
class Initialisation:
    """How weights start, and the words for it. zero_last: `adapt_branches` follows on `fill`."""

    name: str
    fill: Callable[[Tensor, Generator], None]
    sentence: str
    zero_last: bool = False


INITIALISATIONS: Mapping[str, Initialisation] = MappingProxyType(
    {
        each.name: each
        for each in (
            Initialisation("Kaiming", kaiming, "normal, variance 2 / fan_in: made for ReLU"),
            Initialisation("Xavier", xavier, "normal, variance 2 / (fan_in + fan_out): made for tanh"),
            Initialisation("naive", naive, f"normal, standard deviation {NAIVE_STD} whatever the width"),
            Initialisation("orthogonal", orthogonal, "rows of length 1 at right angles, gain 1"),
            Initialisation(
                "Fixup", kaiming, "Kaiming, shrunk by depth; the last layer of each branch zero", True
            ),
        )
    }
)


def fixup_scale(blocks: int, layers_in_branch: int) -> float:
    """L ** (-1 / (2 m - 2)) for a net of L branches with m layers each; 1 where a branch has one layer.

    Zhang et al. 2019, https://arxiv.org/abs/1901.09321, section 3, rule 2.
    """
    return 1.0 if layers_in_branch < 2 else blocks ** (-1 / (2 * layers_in_branch - 2))


@torch.no_grad()
def adapt_branches(branches: Sequence[Sequence[Tensor]]) -> None:
    """Fixup's rules 1 and 2 on the weights of each branch: scale its layers, set its last to zero.

    Left out: the zero classifier, which would stop every gradient before the first step, and rule 3's
    multipliers and biases, which change nothing at the start.
    """
    for branch in branches:
        for weight in branch[:-1]:
            weight.mul_(fixup_scale(len(branches), len(branch)))
        branch[-1].zero_()
