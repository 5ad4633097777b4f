"""Degradation, read off the cards of the trained twins: gaps between depths, and what they amount to.

He et al. 2015, https://arxiv.org/abs/1512.03385, section 4.2: plain networks with more layers end with the
greater error on the very pictures they are trained on. No result is written here: all come from the cards of
`explorer.networks.zoo`, which `python -m explorer.training export` writes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from explorer.networks import zoo
from explorer.networks.zoo import ModelCard, ZooError

TRAINING_PICTURES = 50_000
Measure = Literal["train", "test"]


@dataclass(frozen=True)
class Twin:
    """One of the four networks: `card` names its card in assets/zoo, `builder` what is trained for it."""

    card: str
    builder: str
    title: str
    depth: int
    residual: bool

    @property
    def command(self) -> str:
        asked = f"train {self.builder} --recipe degradation --run FOLDER --data FOLDER"
        return f"python -m explorer.training {asked}"


TWINS = (
    Twin("plain20", "plain20", "Plain-20", 20, residual=False),
    Twin("plain56", "plain56", "Plain-56", 56, residual=False),
    Twin("resnet20_twin", "resnet20", "ResNet-20", 20, residual=True),
    Twin("resnet56_twin", "resnet56", "ResNet-56", 56, residual=True),
)


@dataclass(frozen=True)
class Trained:
    """The twins that have a card, and why each other has none that can be read (None: not trained)."""

    cards: Mapping[Twin, ModelCard]
    missing: Mapping[Twin, str | None]

    def pair(self, *, residual: bool) -> tuple[ModelCard, ModelCard] | None:
        """Cards of the shallow and of the deep one; None until both are there."""
        found = [self.cards[twin] for twin in TWINS if twin.residual == residual and twin in self.cards]
        return (found[0], found[1]) if len(found) == 2 else None

    @property
    def one_protocol(self) -> bool:
        """Whether all have the same recipe and data; the seed counts as part of the recipe."""
        return len({(*sorted(card.recipe.items()), card.dataset_note) for card in self.cards.values()}) < 2


def read() -> Trained:
    """What lies in assets/zoo now."""
    cards: dict[Twin, ModelCard] = {}
    missing: dict[Twin, str | None] = {}
    for twin in TWINS:
        path = zoo.FOLDER / f"{twin.card}.json"
        if not path.exists():
            missing[twin] = None
            continue
        try:
            cards[twin] = zoo.read_card(path)
        except ZooError as error:
            missing[twin] = str(error)
    return Trained(cards, missing)


def errors(card: ModelCard, measure: Measure) -> tuple[float, ...]:
    """Error in percent by epoch: on training pictures as augmented, running while the weights change; on test
    pictures after the epoch.
    """
    return tuple(100 - accuracy for accuracy in card.curves[f"{measure}_accuracy_percent"])


def final_error(card: ModelCard, measure: Measure) -> float:
    """Error of the shipped weights in percent, on unaltered pictures."""
    accuracy = card.train_accuracy_percent if measure == "train" else card.test_accuracy_percent
    return 100 - accuracy


@dataclass(frozen=True)
class Gap:
    """points: error of the deep network less that of the shallow one. standard_error: what the choice of
    pictures alone would scatter it by, were the two independent; another seed scatters it further.
    """

    points: float
    standard_error: float

    @property
    def verdict(self) -> Literal["worse", "better", "alike"]:
        """The deep one against the shallow one; "alike" within two standard errors."""
        if abs(self.points) <= 2 * self.standard_error:
            return "alike"
        return "worse" if self.points > 0 else "better"


def gap(shallow: ModelCard, deep: ModelCard, measure: Measure) -> Gap:
    pictures = TRAINING_PICTURES if measure == "train" else deep.test_images
    rates = [final_error(card, measure) / 100 for card in (shallow, deep)]
    variance = sum(rate * (1 - rate) / pictures for rate in rates)
    return Gap(100 * (rates[1] - rates[0]), 100 * math.sqrt(variance))


Outcome = Literal["degradation", "overfitting", "depth helps", "no difference", "test only"]


def outcome(train: Gap, test: Gap) -> Outcome:
    """Degradation is the greater error on the training pictures; overfitting the smaller one there with the
    greater one on the test pictures.
    """
    if train.verdict == "worse":
        return "degradation"
    if test.verdict == "worse":
        return "overfitting" if train.verdict == "better" else "test only"
    return "depth helps" if "better" in (train.verdict, test.verdict) else "no difference"
