"""What a method of attribution may look at, and how it asks the network again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.inference.spatial import SpatialLayer, grown
from explorer.networks import Network
from explorer.networks.running import probabilities, scores

Progress = Callable[[int, int], None]
"""Called with passes done and passes in all; what it raises ends the work."""

# Pixels in one batch, in pictures of 224 x 224. On a CPU larger ones leave the caches: sixteen at once take
# 1.1 to 2.1 times as long as four (EfficientNet-Lite, ResNet); a GPU wants them.
_PIXELS_AT_ONCE = {"cpu": 4 * 224 * 224}
_ELSEWHERE = 16 * 224 * 224


def silent(done: int, passes: int) -> None:
    """A progress that says nothing."""


class DoesNotApply(ValueError):  # noqa: N818 - it is what a reader is told
    """The method has no meaning for this network or layer; the message says why and what does."""


@dataclass(frozen=True, eq=False)
class Asked:
    """One picture and one class, of a network that the caller holds alone and can ask again.

    x: float32 [1, C, H, W], the prepared picture on the network's device; zero is the mean colour of the
    pictures the network was trained on, as a rule. target: index among the scores; against: of a class whose
    score and probability are taken off, which asks why the one and not the other, None for the class alone.
    """

    network: Network
    x: Tensor
    target: int
    against: int | None
    progress: Progress

    def score(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] -> [N]: the score of the class, before softmax. Autograd follows it where it is on."""
        return self.lead(scores(self.network, self.network.model(pictures)))

    def probability(self, pictures: Tensor) -> Tensor:
        """[N, C, H, W] -> [N]: from 0 to 1; from -1 where there is a class against it."""
        return self.lead(probabilities(self.network, self.network.model(pictures)))

    def lead(self, values: Tensor) -> Tensor:
        """One value a class, [N, K] -> [N]: that of the class, less that of the one against it."""
        if self.against is None:
            return values[:, self.target]
        return values[:, self.target] - values[:, self.against]

    @torch.no_grad()
    def answers(
        self, pictures: Iterator[Tensor], count: int, ask: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """`ask` (by default `probability`) of `count` pictures [C, H, W], many in one pass -> [count]."""
        ask, size, found = ask or self.probability, self.batch_size, []
        while batch := [picture for _, picture in zip(range(size), pictures, strict=False)]:
            found.append(ask(torch.stack(batch)).float())
            self.progress(min(size * len(found), count), count)
        return torch.cat(found)

    @property
    def batch_size(self) -> int:
        most = _PIXELS_AT_ONCE.get(self.x.device.type, _ELSEWHERE)
        return max(1, most // (self.x.shape[-2] * self.x.shape[-1]))

    def scoring(self) -> nn.Module:
        """The network as captum wants it: pictures [N, C, H, W] -> scores [N, 1], in float32."""
        return _Scoring(self)


@dataclass(frozen=True, eq=False)
class Evidence(Asked):
    """What a method may look at, and ask.

    activation, gradient: [c, h, w], the layer's output and the gradient of the class's score by it.
    """

    layer: SpatialLayer
    activation: Tensor
    gradient: Tensor

    def grown(self, values: Tensor) -> Tensor:
        """[h, w] of the layer -> [H, W] of the picture."""
        return grown(values, self.x.shape[-2:])


class _Scoring(nn.Module):
    def __init__(self, asked: Asked):
        super().__init__()
        self.model = asked.network.model
        self._asked = asked

    def forward(self, pictures: Tensor) -> Tensor:
        found = scores(self._asked.network, self.model(pictures)).float()
        return self._asked.lead(found)[:, None]


@contextmanager
def out_of_place(model: nn.Module) -> Iterator[None]:
    """Activations write into a tensor of their own meanwhile, as hooks on their gradients need it."""
    overwriting = [module for module in model.modules() if getattr(module, "inplace", False) is True]
    try:
        for module in overwriting:
            setattr(module, "inplace", False)  # noqa: B010 - torch declares no such attribute
        yield
    finally:
        for module in overwriting:
            setattr(module, "inplace", True)  # noqa: B010
