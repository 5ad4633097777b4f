"""Common mistakes with trained networks, each as a run that can be shown beside the right one.

One table, MISTAKES; the runs stand in `runs`, parameters and time in `cost_of_networks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from types import MappingProxyType

import numpy as np
from PIL import Image

from explorer.labs.mistakes import runs
from explorer.labs.mistakes.runs import Run
from explorer.networks import Network


@dataclass(frozen=True)
class Mistake:
    """One mistake. wrong, right: the lines of code; what: what goes wrong; how: the way to do it right.

    run: the picture through the network with the mistake made. further: more runs, measured only where the
    mistake is looked at alone; the number is the right run's likeliest class.
    """

    id: str
    title: str
    wrong: str
    right: str
    what: str
    how: str
    run: Callable[[Network, Image.Image], Run]
    further: Callable[[Network, Image.Image, int], Mapping[str, str]] | None = None


_TABLE = (
    Mistake(
        "train-mode",
        "Train mode at test time",
        "model = load_model()\nmodel.train()  # left over from training\nlogits = model(x)",
        "model = load_model()\nmodel.eval()\nlogits = model(x)",
        "Batch norm uses the mean and spread of this very batch, here of one picture, and dropout drops. The "
        "answer depends on which pictures happen to stand beside it.",
        "`model.eval()` before every evaluation, `model.train()` before every epoch.",
        runs.train_mode,
        further=runs.in_company,
    ),
    Mistake(
        "frozen-train",
        "Frozen is not eval",
        "for p in model.parameters():\n    p.requires_grad = False\nmodel.train()",
        "for p in model.parameters():\n    p.requires_grad = False\nmodel.eval()",
        "No parameter moves, yet every forward pass in train mode pulls the running statistics towards its "
        "batch. They stay so after `eval()`.",
        "Two switches for two things: `requires_grad` is for the optimiser, `eval()` for batch norm and "
        "dropout.",
        runs.frozen_in_train_mode,
    ),
    Mistake(
        "no-normalisation",
        "Not normalised",
        "x = to_tensor(crop(picture))\nlogits = model(x[None])",
        "x = to_tensor(crop(picture))\nx = normalize(x, mean=cfg['mean'], std=cfg['std'])\n"
        "logits = model(x[None])",
        "The numbers run from 0 to 1 and are never negative: to the network a pale, flat picture.",
        "Take the transform from the weights: `create_transform(**resolve_model_data_config(model))`, or "
        "`weights.transforms()` in torchvision.",
        runs.without_normalisation,
    ),
    Mistake(
        "other-normalisation",
        "Constants of other weights",
        "mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)\nx = normalize(x, mean, std)",
        "cfg = resolve_model_data_config(model)\nx = normalize(x, cfg['mean'], cfg['std'])",
        "Weights trained with 0.5 and weights trained with ImageNet's own mean want different numbers; the "
        "contrast is off by a factor of two, and no error is raised.",
        "Never type the constants in: they belong to the weights, not to the data set.",
        runs.other_normalisation,
    ),
    Mistake(
        "range-255",
        "0 to 255 in place of 0 to 1",
        "x = torch.from_numpy(pixels).permute(2, 0, 1).float()\nx = normalize(x, mean, std)",
        "x = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255\nx = normalize(x, mean, std)",
        "Numbers a few hundred standard deviations away: almost every pixel is whiter than white.",
        "`to_tensor` divides by 255; who goes round it must divide. Print `x.mean()` and `x.std()` "
        "once: near 0 and 1 is right.",
        runs.from_0_to_255,
    ),
    Mistake(
        "bgr",
        "Blue before red",
        "pixels = cv2.imread(path)\nx = prepare(pixels)",
        "pixels = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)\nx = prepare(pixels)",
        "OpenCV hands out blue, green, red. Where shape decides the answer survives, so that nobody notices; "
        "where colour decides it does not.",
        "Read with Pillow, or turn the channels round where OpenCV reads.",
        runs.blue_first,
    ),
    Mistake(
        "stretched",
        "Squeezed, not cropped",
        "x = to_tensor(picture.resize((224, 224)))",
        "x = to_tensor(center_crop(resize(picture, 256), 224))",
        "Proportions change with the shape of each picture; nothing is cut off, which can also help.",
        "Shorter side first, then the middle: the sizes stand in the weights' configuration.",
        runs.stretched,
    ),
    Mistake(
        "not-resized",
        "Cropped, not resized",
        "x = to_tensor(center_crop(picture, 224))",
        "x = to_tensor(center_crop(resize(picture, 256), 224))",
        "The scale of things is that of the camera, so a large photo becomes a piece of fur.",
        "Resize before the crop, with antialiasing (Pillow does so by itself).",
        runs.not_resized,
    ),
    Mistake(
        "no-weights",
        "Weights never loaded",
        "model = timm.create_model(name)",
        "model = timm.create_model(name, pretrained=True)",
        "The network is there and answers, from random numbers. `load_state_dict(..., strict=False)` with "
        "wrong names ends the same way, silently.",
        "Ask for the weights by name, and read what `strict=False` reports as missing.",
        runs.no_weights,
    ),
    Mistake(
        "other-entry",
        "Preparation of another entry",
        "weights = ResNet50_Weights.IMAGENET1K_V2\nx = ResNet50_Weights.IMAGENET1K_V1.transforms()(picture)",
        "weights = ResNet50_Weights.IMAGENET1K_V2\nx = weights.transforms()(picture)",
        "One architecture has several sets of weights, each with its own size, crop and constants.",
        "Take network, weights and transform from one and the same entry.",
        runs.other_entry,
    ),
    Mistake(
        "other-labels",
        "Labels of another list",
        "name = names_of_another_dataset[logits.argmax()]",
        "name = weights.meta['categories'][logits.argmax()]",
        "The numbers are right and the words are wrong: classes in another order, or shifted by one.",
        "Take the names from the weights too, and look at one picture whose class is known.",
        runs.other_labels,
    ),
    Mistake(
        "no-softmax",
        "Softmax forgotten",
        "confidence = model(x).max()",
        "confidence = model(x).softmax(dim=1).max()",
        "The order of the classes is the same, the numbers are no probabilities: a threshold of 0.5 means "
        "nothing, and two networks cannot be compared.",
        "Networks end in logits; softmax comes once, where probabilities are wanted.",
        runs.softmax_forgotten,
    ),
    Mistake(
        "two-softmaxes",
        "Softmax twice",
        "p = model_with_softmax(x).softmax(dim=1)\nloss = cross_entropy(p, y)  # a third one inside",
        "logits = model(x)\nloss = cross_entropy(logits, y)",
        "Between 0 and 1 the second softmax sees hardly any difference: all classes become nearly equal.",
        "Logits into the loss, one softmax for showing.",
        runs.softmax_twice,
    ),
)
MISTAKES: Mapping[str, Mistake] = MappingProxyType({mistake.id: mistake for mistake in _TABLE})


CORNER = 0.75  # side of a corner crop by that of the picture


@dataclass(frozen=True, eq=False)
class Comparison:
    """The right run and a wrong one of the whole picture. moved: how far the whole answer moves, the total
    variation between the two, from 0 to 1: of the whole picture first, then of its four corners. Empty where
    the wrong run of any gives no probabilities.
    """

    right: Run
    wrong: Run
    moved: tuple[float, ...] = ()

    @property
    def index(self) -> int:
        """The right run's likeliest class."""
        return self.right.top

    @property
    def same_answer(self) -> bool:
        """The wrong run, too, gives the right run's likeliest name."""
        if self.wrong.failure:
            return False
        return self.wrong.label(self.wrong.top) == self.right.label(self.index)

    @property
    def total_variation(self) -> float | None:
        """Mean over the picture's crops; None where there are no probabilities to compare."""
        return mean(self.moved) if self.moved else None

    def largest(self, count: int) -> list[tuple[str, float, float]]:
        """(class, right value, wrong value) of the classes that are largest in either run, the right run's
        order first.
        """
        names, right, wrong = _aligned(self.right, self.wrong)
        places = np.argsort(-np.maximum(right, wrong), kind="stable")[:count]
        return [
            (names[place], float(right[place]), float(wrong[place]))
            for place in sorted(places, key=lambda place: -right[place])
        ]


def total_variation(right: Run, wrong: Run) -> float | None:
    """Half of what all classes differ by: the probability that has to move to make one answer the other.

    0 for the same answer and 1 for answers that share no class; larger or smaller probability of one class
    cannot make it a gain. None where one of the two is no distribution.
    """
    if not (right.are_probabilities and wrong.are_probabilities):
        return None
    _, first, second = _aligned(right, wrong)
    return 0.5 * float(np.abs(first - second).sum())


def _aligned(right: Run, wrong: Run) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Classes and the float64 values of both runs; by name where each reads its outputs with another list."""
    if right.labels == wrong.labels and len(right.values) == len(wrong.values):
        names = [right.label(index) for index in range(len(right.values))]
        return names, right.values.astype(np.float64), wrong.values.astype(np.float64)
    found: dict[str, list[float]] = {}
    for place, run in enumerate((right, wrong)):
        for index, value in enumerate(run.values):
            found.setdefault(run.label(index), [0.0, 0.0])[place] += float(value)
    values = np.array(list(found.values()), dtype=np.float64).reshape(-1, 2)
    return list(found), values[:, 0], values[:, 1]


def crops(image: Image.Image) -> tuple[Image.Image, ...]:
    """The picture, and its four corners of CORNER of its sides: what one lucky crop hides the others show."""
    width, height = (max(1, round(CORNER * side)) for side in image.size)
    right, low = image.width - width, image.height - height
    corners = ((0, 0), (right, 0), (0, low), (right, low))
    return (image, *(image.crop((x, y, x + width, y + height)) for x, y in corners))


def _compared(
    mistake: Mistake, network: Network, images: Sequence[Image.Image], right: Sequence[Run]
) -> Comparison:
    """images: the picture and its corners, as `crops` has them; right: their right runs."""
    wrong = mistake.run(network, images[0])
    moved = [total_variation(right[0], wrong)]
    if moved[0] is not None:  # without probabilities here there are none elsewhere
        moved += [
            total_variation(run, mistake.run(network, image))
            for image, run in zip(images[1:], right[1:], strict=True)
        ]
    known = tuple(each for each in moved if each is not None)
    return Comparison(right[0], wrong, known if len(known) == len(images) else ())


def compare(mistake: Mistake, network: Network, image: Image.Image) -> Comparison:
    """The picture through the network as the weights want it, and with the mistake made."""
    images = crops(image)
    found = _compared(mistake, network, images, [runs.right(network, each) for each in images])
    if mistake.further and not found.wrong.failure:
        more = mistake.further(network, image, found.index)
        found = replace(found, wrong=replace(found.wrong, numbers={**found.wrong.numbers, **more}))
    return found


def overview(network: Network, image: Image.Image) -> Mapping[str, Comparison]:
    """Every mistake on this picture, by id."""
    images = crops(image)
    right = [runs.right(network, each) for each in images]
    return {key: _compared(mistake, network, images, right) for key, mistake in MISTAKES.items()}


def normalisations() -> Counter[tuple[tuple[float, ...], tuple[float, ...]]]:
    """(mean, std) that timm's weights of 1,000 classes ask for, counted in the installed package."""
    from timm.models import get_pretrained_cfg, list_pretrained

    asked = (get_pretrained_cfg(name) for name in list_pretrained())
    return Counter(
        (tuple(cfg.mean), tuple(cfg.std)) for cfg in asked if cfg is not None and cfg.num_classes == 1000
    )
