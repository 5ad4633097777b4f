"""The forgotten `eval()`: what batch norm in training mode does to the answer to one and the same picture.

All of it happens on a copy; the loaded network is only read. Still a call needs the network to itself (an
exclusive lease of `explorer.serving.pool`), for another visitor's hooks would be copied along.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.inference.training_mode import BATCH_NORM, TrainingMode, training_mode
from explorer.labs.normalisation.networks import ready
from explorer.networks import Network
from explorer.networks.labels import output_name
from explorer.networks.running import probabilities


@dataclass(frozen=True, eq=False)
class Reply:
    """The network's answer to the one picture in one situation.

    mode: "eval" or "train". batch: pictures that went in together. label, probability: the likeliest class.
    expected: probability of the class that evaluation mode names. refused: PyTorch's words where it would
    not compute.
    """

    name: str
    mode: str
    batch: int
    label: str
    probability: float
    expected: float
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Drift:
    """The same picture through the same network. expected: the class that evaluation mode names. layers:
    batch norms in the network. melted: those of them that were folded into their convolutions before the
    weights were published, and since then change nothing in evaluation mode but add beta. random: how many
    modules of each kind draw at random in training mode. replies: evaluation mode, training mode in each
    company, evaluation mode once more, after the running statistics have been overwritten."""

    expected: str
    layers: int
    melted: int
    random: Mapping[str, int]
    replies: tuple[Reply, ...]

    @property
    def dropouts(self) -> int:
        """Modules that draw at random, of whatever kind."""
        return sum(self.random.values())


def drift(
    network: Network,
    image: Image.Image,
    companies: Mapping[str, Sequence[Image.Image]],
    *,
    dropout: bool = False,
    seed: int = 0,
) -> Drift:
    """What `image` is taken for, alone and in company, when `eval()` has been forgotten.

    companies: name -> the other pictures of the batch. dropout: whether all that draws at random is left on
    as well; else only the batch norms are in training mode. All on a copy: the loaded network is not touched.
    """
    mode = training_mode(network.model, network.input.shape)
    model = copy.deepcopy(network.model).eval()
    x = ready(network, image)
    with torch.inference_mode(False), torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        calm = _probabilities(network, model, x)
        best = int(calm.argmax())
        replies = [_reply(network, "eval()", "eval", 1, calm, best)]
        _train(model, mode, dropout)
        for name, others in companies.items():
            batch = torch.cat([x, *(ready(network, other) for other in others)])
            try:
                found = _probabilities(network, model, batch)
            except ValueError as error:  # a batch norm that sees one number a channel has no variance
                replies.append(
                    Reply(name, "train", len(batch), "", math.nan, math.nan, str(error).partition(",")[0])
                )
                continue
            replies.append(_reply(network, name, "train", len(batch), found, best))
        model.eval()
        after = _probabilities(network, model, x)
        replies.append(_reply(network, "eval() afterwards", "eval", 1, after, best))
    norms = [module for module in network.model.modules() if isinstance(module, BATCH_NORM)]
    return Drift(
        _label(network, best),
        len(norms),
        sum(_melted(norm) for norm in norms),
        MappingProxyType(dict(Counter(mode.random.values()))),
        tuple(replies),
    )


def _melted(norm: Any) -> bool:
    """Running mean 0 and variance 1 in every channel: no training leaves them so."""
    mean, variance = norm.running_mean, norm.running_var
    return mean is not None and not mean.any() and bool((variance == 1).all())


def cut_outs(image: Image.Image, count: int, seed: int = 0) -> tuple[Image.Image, ...]:
    """`count` different pictures from one: random squares of 60 to 100 % of its shorter side."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        side = max(1, int(min(image.size) * rng.uniform(0.6, 1.0)))
        left, top = (int(rng.integers(length - side + 1)) for length in image.size)
        found.append(image.crop((left, top, left + side, top + side)))
    return tuple(found)


def _train(model: nn.Module, mode: TrainingMode, dropout: bool) -> None:
    """The switch of each module alone, not of those inside it."""
    for path in (*mode.statistics, *(mode.random if dropout else ())):
        model.get_submodule(path).training = True


def _probabilities(network: Network, model: nn.Module, x: Tensor) -> Tensor:
    return probabilities(network, model(x))[0].cpu()


def _reply(network: Network, name: str, mode: str, batch: int, found: Tensor, expected: int) -> Reply:
    best = int(found.argmax())
    return Reply(name, mode, batch, _label(network, best), float(found[best]), float(found[expected]))


def _label(network: Network, index: int) -> str:
    return output_name(network.labels, index)
