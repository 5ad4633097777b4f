"""Rules of thumb for choosing, each with its source and with what the published figures say about it.

They are advice, not constraints: nothing is left out because of them. What is said below a rule is worked out
from the candidates at hand, under the wishes in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from math import inf

import numpy as np

from explorer.analysis.choosing.candidates import MEASURES, Candidate, tested_alike
from explorer.analysis.choosing.pareto import Better, frontier
from explorer.analysis.choosing.ranking import one_a_network
from explorer.catalogue.counts import CHANNELS, counts
from explorer.catalogue.network_names import ONLY_IMAGENET_1K

CPU = "throughput i7-12700h"


@dataclass(frozen=True)
class Scene:
    """kept: what passes, best first by `measure`, of all candidates. cost: what accuracy is bought with."""

    everything: Sequence[Candidate]
    kept: Sequence[Candidate]
    measure: str = "top1"
    better: Better = "more"
    cost: str = "macs"


@dataclass(frozen=True)
class Rule:
    """says: in our words. source: where it stands. about: patterns of references such as "*:resnet50".

    images: how many training pictures it is meant for, (at least, fewer than); None: for any. dense: meant
    for detection and segmentation. data: what the candidates say, a sentence or more.
    """

    says: str
    source: str
    data: Callable[[Rule, Scene], Sequence[str]]
    about: tuple[str, ...] = ()
    images: tuple[float, float] | None = None
    dense: bool = False

    def fits(self, images: int | None, dense: bool) -> bool:
        """Whether it is meant for this very case; rules for any case are meant for none in particular."""
        few = self.images is not None and images is not None and self.images[0] <= images < self.images[1]
        return few or (self.dense and dense)


def of(rule: Rule, candidates: Iterable[Candidate]) -> list[Candidate]:
    return [each for each in candidates if any(fnmatch(each.reference, pattern) for pattern in rule.about)]


def standing(rule: Rule, scene: Scene) -> Sequence[str]:
    """Where the best of them stands among the networks that pass, and how many are on the frontier."""
    passing = of(rule, scene.kept)
    if not passing:
        there = len(of(rule, scene.everything))
        return (f"None passes, of {there} published." if there else "None of them is published here.",)
    networks = list(one_a_network(scene.kept))
    best = passing[0]
    value = _said(best, scene.measure)
    place = networks.index(best.reference) + 1
    on = frontier(
        [_number(each, scene.cost) for each in scene.kept],
        [_number(each, scene.measure) for each in scene.kept],
        (MEASURES[scene.cost].better if scene.cost in MEASURES else "less", scene.better),
    ).on
    ahead = sum(bool(flag) for each, flag in zip(scene.kept, on, strict=True) if each in passing)
    return (
        f"{best.name} at {best.image_size} px: {value}, place {place} of the {len(networks)} networks that "
        "pass.",
        f"On the frontier of {_title(scene.measure)} and {_title(scene.cost)}: {ahead} of its {len(passing)} "
        "entries.",
    )


def _number(each: Candidate, measure: str) -> float:
    value = each.value(measure)
    return np.nan if value is None else value


def spread(rule: Rule, scene: Scene) -> Sequence[str]:
    """How far the weights of one network lie apart, as far as they were tested alike."""
    found = []
    for pattern in rule.about:
        those = [each for each in scene.everything if fnmatch(each.reference, pattern)]
        those = [each for each in those if "top1" in each.values]
        alike = tested_alike(those)
        values = [each.values["top1"] for each in alike]
        if values:
            worst, best = min(values), max(values)
            found.append(
                f"{pattern}: {len(values)} results published at {alike[0].image_size} px from {worst:.1f} to "
                f"{best:.1f} % top-1, {best - worst:.1f} points apart by recipe and data alone."
            )
        elif those:
            found.append(f"{pattern}: no two published results were tested alike, so none are subtracted.")
    return found


def correlation(rule: Rule, scene: Scene) -> Sequence[str]:
    """Spearman's rank correlation of costs with published speed; -1 would let one stand for the other."""
    found = []
    for cost in ("params", "macs", "activations"):
        pairs = {
            (each.reference, each.image_size): (each.values[cost], each.values[CPU])
            for each in scene.kept
            if cost in each.values and CPU in each.values
        }
        if len(pairs) > 2:
            one, two = np.array(list(pairs.values())).T
            if len(set(one)) > 1 and len(set(two)) > 1:  # equal values have no order to agree with
                found.append(f"{_title(cost)} {_rank_correlation(one, two):+.2f}".replace("-", "−"))
    if not found:
        return ("Too few of those that pass have a published speed on a processor.",)
    return (
        f"Rank correlation with speed on the Core i7-12700H among those that pass: {', '.join(found)}. "
        "−1 would mean that the count alone puts networks in the order of their speed.",
    )


def _rank_correlation(one: np.ndarray, two: np.ndarray) -> float:
    ranks = [np.unique(values, return_inverse=True)[1] for values in (one, two)]
    return float(np.corrcoef(_shared(ranks[0]), _shared(ranks[1]))[0, 1])


def _shared(order: np.ndarray) -> np.ndarray:
    """Ranks, equal values sharing the mean of theirs."""
    counts = np.bincount(order)
    return np.take(np.cumsum(counts) - (counts - 1) / 2, order)


def on_a_processor(rule: Rule, scene: Scene) -> Sequence[str]:
    """The networks it names, with parameters and published speed on a processor."""
    found = []
    for pattern in rule.about:
        name, _, size = pattern.partition("@")
        those = [
            each
            for each in scene.everything
            if fnmatch(each.reference, name) and CPU in each.values and f"{each.image_size}" == size
        ]
        if those:
            each = those[0]
            params = f", {each.values['params'] / 1e6:.1f} M parameters" if "params" in each.values else ""
            found.append(f"{name.partition(':')[2]} at {size} px: {each.values[CPU]:.1f} images/s{params}.")
    return [*found, "Published by timm for a Core i7-12700H, one image at a time."] if found else []


def maps(rule: Rule, scene: Scene) -> Sequence[str]:
    """Channels by stride of the networks it names, read off their traces."""
    found = []
    for reference in rule.about:
        held = next((row for (name, _), row in counts().of.items() if name == reference), None)
        if held is not None:
            levels = {stride: held[name] for stride, name in CHANNELS.items() if held[name]}
            told = ", ".join(f"{channels} at {stride}" for stride, channels in levels.items())
            found.append(f"{reference.partition(':')[2]}: {told or 'no map at 4 to 32'}.")
    return [*found, "Channels at strides in pixels, counted on the networks themselves."] if found else []


def priors(rule: Rule, scene: Scene) -> Sequence[str]:
    """The best transformer and the best other network, by what they were trained on."""
    found = []
    for title, wanted in (("ImageNet-1k alone", True), ("more pictures or a teacher", False)):
        best = [
            next(
                (
                    each
                    for each in scene.kept
                    if (each.family == "transformer") is attention
                    and each.family
                    and (each.training_data == ONLY_IMAGENET_1K) is wanted
                ),
                None,
            )
            for attention in (False, True)
        ]
        told = [f"{each.name} {_said(each, scene.measure)}" if each else "none passes" for each in best]
        found.append(f"Trained on {title}: without attention {told[0]}; transformer {told[1]}.")
    return [*found, "All judged on ImageNet: how they transfer to few pictures is not in these tables."]


def _title(measure: str) -> str:
    return MEASURES[measure].title if measure in MEASURES else measure


def _said(each: Candidate, measure: str) -> str:
    value = each.value(measure)
    if value is None:
        return f"{_title(measure)} not published"
    unit = MEASURES[measure].unit if measure in MEASURES else ""
    return f"{value:.4g} {unit}".strip()


RULES = (
    Rule(
        "Begin with ResNet-50: the best understood, with weights and frameworks everywhere.",
        "[001] part 11; Q6",
        standing,
        ("*:resnet50",),
    ),
    Rule(
        "Where accuracy counts, take EfficientNet-B4: ahead of ResNet-50 with fewer parameters.",
        "[001] part 11",
        standing,
        ("*:efficientnet_b4", "*:tf_efficientnet_b4"),
    ),
    Rule(
        "On phones and other small devices: MobileNet V3 or EfficientNet-Lite.",
        "[001] part 11",
        standing,
        ("*:*mobilenetv3_*", "*:mobilenet_v3_*", "*:*efficientnet_lite*"),
    ),
    Rule(
        "A new project may as well begin with ConvNeXt, made for today's way of training.",
        "[001] part 11",
        standing,
        ("*:convnext_*", "*:convnextv2_*"),
    ),
    Rule(
        "Baseline of today: ConvNeXt-T or EfficientNet-B2.",
        "[000] part 10",
        standing,
        ("*:convnext_tiny", "*:efficientnet_b2", "*:tf_efficientnet_b2"),
    ),
    Rule(
        "With fewer than 10,000 pictures good pretrained weights weigh more than the architecture.",
        "[001] part 11; Q6",
        spread,
        ("timm:resnet50", "timm:tf_efficientnet_b4", "timm:convnext_tiny"),
        images=(0, 10_000),
    ),
    Rule(
        "From 10,000 to 100,000 pictures: EfficientNet-B4 or ConvNeXt-T.",
        "[001] Q6",
        standing,
        ("*:efficientnet_b4", "*:tf_efficientnet_b4", "*:convnext_tiny"),
        images=(10_000, 100_000),
    ),
    Rule(
        "Below 100,000 pictures the built-in assumptions of convolutions win; a vision transformer needs "
        "pretraining on a large set.",
        "[000] 5.2",
        priors,
        images=(0, 100_000),
    ),
    Rule(
        "With collections like ImageNet-21k transformers reach convolutional networks or pass them.",
        "[000] 5.2",
        priors,
        images=(1e7, inf),
    ),
    Rule(
        "For detection and segmentation ConvNeXt serves better than EfficientNet, by its maps at several "
        "scales.",
        "[000] 8.2",
        maps,
        ("timm:resnet50", "timm:convnext_tiny", "torchvision:efficientnet_b4", "timm:vit_base_patch16_224"),
        dense=True,
    ),
    Rule(
        "VGG is no backbone for anything new: slow, heavy and held in place by its fully connected layers.",
        "[001] part 13",
        standing,
        ("*:vgg*",),
        dense=True,
    ),
    Rule(
        "Measure on the device it will run on: the number of parameters does not tell the time.",
        "[001] part 11",
        correlation,
    ),
    Rule(
        "EfficientNet-B4 at 380 pixels is far slower on a processor than ResNet-50 at 224, with fewer "
        "parameters.",
        "[001] Q6",
        on_a_processor,
        ("timm:tf_efficientnet_b4@380", "timm:resnet50@224"),
    ),
)


def ordered(images: int | None, dense: bool) -> list[tuple[Rule, bool]]:
    """All rules, those that are meant for this very case first, and whether they are."""
    judged = [(rule, rule.fits(images, dense)) for rule in RULES]
    return sorted(judged, key=lambda each: not each[1])
