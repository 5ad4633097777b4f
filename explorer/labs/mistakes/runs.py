"""One picture through one network, done right and done wrong: the runs behind the common mistakes.

Every wrong run works on the network as it is, or on a copy where the mistake would change it, so a network
that others share is never altered.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer import networks
from explorer.inference import SAMPLES, decode
from explorer.inference.preprocessing import prepare
from explorer.inference.training_mode import training_mode
from explorer.labs.input_numbers import normalise, understood
from explorer.networks import InputSpec, Network, WeightsEntry
from explorer.networks.entries import first_sentence
from explorer.networks.inputs import IMAGENET_MEAN, IMAGENET_STD
from explorer.networks.labels import output_name
from explorer.networks.running import CannotRun, probabilities

PASSES = 5  # in train mode, before the network is used for good
COMPANIES = (("coffee", "rocket", "camera"), ("astronaut", "retina", "hubble_deep_field"))
# CIFAR-10's ten names and STL-10's are the same things but two, in another order. Coates et al. 2011.
STL10 = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@dataclass(frozen=True, eq=False)
class Run:
    """What went in and what came out.

    view: uint8 [H, W, 3], the input as a network of these weights understands its numbers. values: float32
    [K], read as probabilities, right or wrong. mean, std: of the numbers of the input. note: a sentence about
    what was done, where the code does not say it. numbers: further measurements by what they are.
    failure: the error, where there is no answer; then `values` is empty.
    """

    view: np.ndarray
    values: np.ndarray
    labels: tuple[str, ...]
    mean: float
    std: float
    note: str = ""
    numbers: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def top(self) -> int:
        return int(self.values.argmax())

    def label(self, index: int) -> str:
        return output_name(self.labels, index)

    @property
    def are_probabilities(self) -> bool:
        """Whether these numbers can be probabilities at all."""
        values = self.values
        return bool(len(values) and values.min() >= 0) and abs(float(values.sum()) - 1) < 1e-3


def right(network: Network, image: Image.Image) -> Run:
    """As the weights ask for it: their preparation, eval mode, softmax once."""
    run = _run(network, prepare(image, network.input).x)
    if run.failure:
        name = network.weights.id
        named = run.failure.startswith(name)  # what is not finite is said so already
        raise CannotRun(f"{run.failure}." if named else f"{name} does not run on this: {run.failure}.")
    return run


def without_normalisation(network: Network, image: Image.Image) -> Run:
    return _run(network, _pixels(network, image))


def other_normalisation(network: Network, image: Image.Image) -> Run:
    mean, std = other_constants(network.input)
    shown = f"mean {_rounded(mean)}, std {_rounded(std)}"
    wanted = f"mean {_rounded(network.input.mean)}, std {_rounded(network.input.std)}"
    return _run(
        network, normalise(_pixels(network, image), mean, std), note=f"Here {shown} in place of {wanted}."
    )


def from_0_to_255(network: Network, image: Image.Image) -> Run:
    return _run(network, normalise(255 * _pixels(network, image), network.input.mean, network.input.std))


def blue_first(network: Network, image: Image.Image) -> Run:
    x = _pixels(network, image).flip(1)
    return _run(network, normalise(x, network.input.mean, network.input.std))


def train_mode(network: Network, image: Image.Image) -> Run:
    """The picture alone, as a batch of one, in train mode."""
    x = prepare(image, network.input).x
    if not training_mode(network.model, network.input.shape).differs:
        return _run(network, x, note=_SAME_IN_BOTH)
    with in_train_mode(network) as model:
        return _run(network, x, model=model)


def in_company(network: Network, image: Image.Image, index: int) -> dict[str, str]:
    """Probability of class `index` for `image` in train mode, in batches with other pictures beside it."""
    if not training_mode(network.model, network.input.shape).differs:
        return {}
    x = prepare(image, network.input).x
    found = {}
    for company in COMPANIES:
        batch = torch.cat([x, *(prepare(_sample(name), network.input).x for name in company)])
        with in_train_mode(network) as model:
            share = float(probabilities(network, _logits(model, batch))[0, index])
        beside = ", ".join(SAMPLES[name].title for name in company)
        found[f"the same class in a batch with {beside}"] = f"{share:.1%}"
    return found


def frozen_in_train_mode(network: Network, image: Image.Image) -> Run:
    """PASSES forward passes in train mode with every parameter frozen, then eval mode and the picture."""
    x = prepare(image, network.input).x
    with in_train_mode(network) as model:
        model.requires_grad_(False)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        try:
            for _ in range(PASSES):
                _logits(model, x)
        except (RuntimeError, ValueError) as error:
            return _failed(network, x, error)
        model.eval()
        moved = _moved(before, model)
        note = "" if moved["running statistics changed"] != "0 of 0" else _NOTHING_RUNNING
        return _run(network, x, model=model, numbers=moved, note=note)


def other_entry(network: Network, image: Image.Image) -> Run:
    """Prepared as another weights entry asks for it: of the same network, else of torchvision's ResNet-50."""
    entry = entry_beside(network)
    assert entry.input is not None
    spec = replace(entry.input, shape=(network.input.channels, *entry.input.shape[1:]))
    how = f"{spec.shape[1]} pixels cut from {spec.resize}, {spec.interpolation}, mean {_rounded(spec.mean)}"
    note = f"The preparation of {entry.id}: {how}."
    return _run(network, prepare(image, spec).x, note=note)


def entry_beside(network: Network) -> WeightsEntry:
    """Another set of weights whose preparation differs from this network's."""
    architecture = network.reference.architecture
    others = [
        *(networks.weights_of(architecture) if architecture else ()),
        networks.entry_of("torchvision:ResNet50_Weights.IMAGENET1K_V2"),
        networks.entry_of("torchvision:ResNet50_Weights.IMAGENET1K_V1"),
    ]
    return next(each for each in others if each.input is not None and each.input != network.input)


def no_weights(network: Network, image: Image.Image) -> Run:
    """The same network as it comes without weights, from a fixed seed."""
    model = networks.build(network.reference, device=_device(network.model), seed=0)
    return _run(network, prepare(image, network.input).x, model=model)


def other_labels(network: Network, image: Image.Image) -> Run:
    """The right numbers, read with the list of another data set."""
    run = right(network, image)
    if len(network.labels) == len(STL10):
        return replace(run, labels=STL10, note="CIFAR-10's outputs, read with the list of STL-10.")
    shifted = ("background", *network.labels[: max(0, len(run.values) - 1)])
    note = (
        "Read with the list of 1,001 names that begins with “background”, as TensorFlow's networks have it."
    )
    return replace(run, labels=shifted, note=note)


def stretched(network: Network, image: Image.Image) -> Run:
    """The whole picture squeezed into the input: nothing cut off, proportions lost."""
    width, height = image.size
    side = f"{network.input.shape[2]} × {network.input.shape[1]}"
    note = f"{width} × {height} pixels squeezed into {side}." if width != height else "The picture is square."
    return _run(
        network, _of_view(network, image.resize(_size(network), Image.Resampling.BILINEAR)), note=note
    )


def not_resized(network: Network, image: Image.Image) -> Run:
    """The middle of the picture pixel by pixel, black where it has none."""
    width, height = _size(network)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return _run(network, _of_view(network, image.crop((left, top, left + width, top + height))))


def softmax_forgotten(network: Network, image: Image.Image) -> Run:
    run = right(network, image)
    logits = _logits(network.model, prepare(image, network.input).x)[0]
    return replace(run, values=logits.numpy(), note="Scores from minus to plus infinity, read as shares.")


def softmax_twice(network: Network, image: Image.Image) -> Run:
    run = right(network, image)
    most = float(np.e / (np.e + len(run.values) - 1))
    return replace(
        run,
        values=softmax(run.values),
        numbers={"the most that two softmaxes can give here": f"{most:.2%}"},
    )


def softmax(values: np.ndarray) -> np.ndarray:
    """exp(v) / sum exp(v). Of a softmax once more at most e / (e + K - 1) for K classes."""
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def other_constants(spec: InputSpec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """ImageNet's mean and std for weights that want 0.5, and 0.5 for all others."""
    if spec.channels != 3 or any(each != 0.5 for each in spec.mean):
        return (0.5,) * spec.channels, (0.5,) * spec.channels
    return IMAGENET_MEAN, IMAGENET_STD


@contextmanager
def in_train_mode(network: Network) -> Iterator[nn.Module]:
    """A copy in train mode, its dropout drawn from a fixed seed; the network itself stays as it is."""
    model = copy.deepcopy(network.model).train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield model


_SAME_IN_BOTH = "No batch norm and no dropout here: train and eval mode are one, and nothing changes."
_NOTHING_RUNNING = "No batch norm here, so nothing runs along: the mode changes nothing for good."


def _moved(before: dict[str, Tensor], model: nn.Module) -> dict[str, str]:
    """How many tensors of parameters and of running statistics are not what they were."""
    own = {name for name, _ in model.named_parameters()}
    after = model.state_dict()
    running = [name for name in before if name.endswith(("running_mean", "running_var"))]

    def changed(names: Sequence[str]) -> str:
        return f"{sum(not torch.equal(before[n], after[n]) for n in names)} of {len(names)}"

    return {"parameters changed": changed(sorted(own)), "running statistics changed": changed(running)}


def _run(
    network: Network,
    x: Tensor,
    *,
    model: nn.Module | None = None,
    note: str = "",
    numbers: dict[str, str] | None = None,
) -> Run:
    """x through `model`, by default the network's own; an error becomes the run's failure."""
    try:
        values = probabilities(network, _logits(model or network.model, x))[0].numpy()
    except (RuntimeError, ValueError) as error:
        if isinstance(error, torch.OutOfMemoryError) or network.outputs == "embedding":
            raise
        return _failed(network, x, error, note)
    known = dict(numbers or {})
    return Run(
        understood(x, network.input), values, network.labels, float(x.mean()), float(x.std()), note, known
    )


def _failed(network: Network, x: Tensor, error: Exception, note: str = "") -> Run:
    view, reason = understood(x, network.input), first_sentence(error)
    return Run(
        view, np.zeros(0, np.float32), network.labels, float(x.mean()), float(x.std()), note, {}, reason
    )


def _pixels(network: Network, image: Image.Image) -> Tensor:
    """[1, C, H, W] from 0 to 1, cropped as the network wants it."""
    spec = replace(network.input, mean=(0.0,) * network.input.channels, std=(1.0,) * network.input.channels)
    return prepare(image, spec).x


def _of_view(network: Network, view: Image.Image) -> Tensor:
    """[1, C, H, W] of a picture that has the input's size already, normalised."""
    shown = np.array(view.convert("L" if network.input.channels == 1 else "RGB"), dtype=np.float32)
    x = torch.from_numpy(shown).reshape(*shown.shape[:2], -1).permute(2, 0, 1)[None] / 255
    return normalise(x, network.input.mean, network.input.std)


@torch.inference_mode(False)
def _logits(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x.to(_device(model))).float().cpu()


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _size(network: Network) -> tuple[int, int]:
    return network.input.shape[2], network.input.shape[1]


def _rounded(values: Sequence[float]) -> str:
    return ", ".join(f"{each:.3g}" for each in values)


@cache
def _sample(name: str) -> Image.Image:
    return decode(SAMPLES[name].load())
