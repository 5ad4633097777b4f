"""One picture through one network, once: predictions, heatmap and feature maps of the same forward pass.

The chosen layer's output is cut out of the pass and handed on as a fresh tensor that wants a gradient.
What comes before it therefore runs without autograd, and the backward pass stops there.
A call needs the network to itself: two passes that hook one module see each other's activations
(`explorer.serving.pool` hands networks out one visitor at a time).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.inference.attribution.evidence import Evidence, Progress, silent
from explorer.inference.attribution.methods import METHODS, STRENGTH, strength
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import SpatialLayer, SpatialLayers, grown, spatial_layers
from explorer.inference.through.columns import Column
from explorer.inference.through.maps import Maps, passage
from explorer.inference.watching import cut_after
from explorer.networks import Network
from explorer.networks.entries import Outputs
from explorer.networks.labels import index_of, output_name
from explorer.networks.running import check_finite, device_of, probabilities, scores

_BRIGHT = 0.99  # share of the pixels that are not cut off
Measure = Literal["activation", "contribution"]

# What a page writes beside "strongest channels first".
MEASURES: Mapping[Measure, str] = MappingProxyType(
    {
        "activation": "mean absolute activation over the map",
        "contribution": "activation × gradient of the class score, summed over the map",
    }
)


# What a reader must know of an answer that is no choice among classes.
KINDS: Mapping[Outputs, str] = MappingProxyType(
    {
        "classes": "",
        "yes or no": "It has one output: its sigmoid is the probability of yes.",
        "embedding": "Its output is an embedding, not a classification: it has no classes and no "
        "probabilities, and the heatmap shows how strong the activation is at each place.",
    }
)


@dataclass(frozen=True)
class Prediction:
    """One class: its name, its index among the outputs, its softmax probability from 0 to 1."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything the picture views draw from; NumPy arrays on the CPU, none writable.

    view: uint8 [H, W, 3], the crop as the network sees it. display: the same crop, finer, for the eye.
    view_box: (left, top, right, bottom) of the crop as fractions of the original picture.
    cam: float32, non-negative, not normalised, [h, w] of the layer or, if the method looks at pixels, [H, W].
    heatmap: float32 [H, W], cam at view size divided by its largest value, of pixels by their 99th percentile
    and cut at 1, as a few would leave all others dark; all zero where nothing speaks for the class, and then
    blank says why. features: float32 [C, h, w], the layer's output.
    contributions: float32 [C], activation x gradient summed over the map: each channel's share, to first
    order, in the class score. explained: the class whose score was followed back; target: its index; against:
    the class whose score was taken off first, None as a rule.
    Where the output is an embedding there are no predictions, nothing explained and no contributions, and cam
    is how strong the activation is at each place.
    passage: of the columns that were to be looked at on the way, by the path of their layer.
    seconds: wall time of "decode", "load", "forward" (preparing the picture included) and "backward".
    """

    view: np.ndarray
    display: np.ndarray
    view_box: tuple[float, float, float, float]
    predictions: tuple[Prediction, ...]
    explained: Prediction | None
    against: Prediction | None
    layer: str
    method: str
    cam: np.ndarray
    heatmap: np.ndarray
    features: np.ndarray
    contributions: np.ndarray | None
    device: str
    seconds: Mapping[str, float]
    answers_with: Outputs = "classes"
    blank: str = ""
    passage: Mapping[str, Maps] = field(default_factory=dict)

    @property
    def target(self) -> int | None:
        return self.explained.index if self.explained else None

    @property
    def heatmap_peak(self) -> tuple[float, float] | None:
        """(x, y) of the strongest point as fractions of the original picture; None for an empty heatmap."""
        if not self.heatmap.any():
            return None
        finest = self.cam if self.cam.shape == self.heatmap.shape else self.heatmap
        row, column = np.unravel_index(int(finest.argmax()), finest.shape)
        height, width = self.heatmap.shape
        left, top, right, bottom = self.view_box
        x = left + (right - left) * (column + 0.5) / width
        y = top + (bottom - top) * (row + 0.5) / height
        return float(x), float(y)


@dataclass(frozen=True, eq=False)
class Feature:
    """One channel of the explained layer. strength: by the measure it was asked for. map: float32 [h, w]."""

    channel: int
    strength: float
    map: np.ndarray


def top_features(explanation: Explanation, n: int, measure: Measure = "activation") -> tuple[Feature, ...]:
    """The n strongest channels first, by one of MEASURES."""
    strengths = np.abs(explanation.features).mean(axis=(1, 2))
    if measure == "contribution":
        if explanation.contributions is None:
            raise ValueError("an embedding has no class score that a channel could contribute to")
        strengths = explanation.contributions
    order = np.argsort(-strengths, kind="stable")[:n]
    return tuple(Feature(int(c), float(strengths[c]), explanation.features[c]) for c in order)


def layers(network: Network) -> tuple[str, ...]:
    """Paths of the layers that can be explained, in the order they finish."""
    return tuple(_layers_of(network).by_path)


def default_layer(network: Network) -> str:
    """The layer `explain` takes where none is named: the last with a place in the picture."""
    return _layers_of(network).default


# The caller's thread may have any grad mode: a page's reruns move between threads.
@torch.inference_mode(False)
@torch.enable_grad()
def explain(
    network: Network,
    image: Image.Image,
    *,
    layer: str | None = None,
    target: int | str | None = None,
    against: int | str | None = None,
    top_k: int = 5,
    method: str = "Grad-CAM",
    decode_seconds: float = 0.0,
    load_seconds: float = 0.0,
    progress: Progress | None = None,
    along: Sequence[Column] = (),
) -> Explanation:
    """The network's answer to `image`, and where at `layer` the score of class `target` comes from.

    layer: one of `layers(network)`, by default `default_layer(network)`. target: an output's index or name,
    by default the most probable class. against: another, to ask why the one and not the other: what is
    followed back is then the difference of their scores (after Prabhushankar et al. 2020,
    https://arxiv.org/abs/2008.00178, who follow a loss). decode_seconds, load_seconds: handed through to the
    result's `seconds`.
    progress: called by methods of many passes; what it raises ends the work. along: what else to look at on
    the way, of `through.columns`.
    Raises ValueError where layer, target, against, method or top_k is not one of the choices, DoesNotApply
    where the method has no meaning for this network.
    """
    chosen = _choose_layer(network, layer)
    if method not in METHODS:
        raise ValueError(f"{method!r} is not an attribution method; try one of {', '.join(METHODS)}")
    if top_k < 1:
        raise ValueError(f"top_k is {top_k}; ask for at least one class")
    device = device_of(network.model)

    started = time.perf_counter()
    prepared = prepare(image, network.input)
    x = prepared.x.to(device)
    with passage(network.model, along) as seen:
        output, captured = _forward(network.model, x, chosen.path)
    activation = chosen.to_map(captured.detach()).float()
    predictions: tuple[Prediction, ...] = ()
    explained = other = contributions = None
    if network.outputs == "embedding":
        if (named := against if target is None else target) is not None:
            raise ValueError(f"{network.weights.id} answers with an embedding: there is no class {named}")
        check_finite(network.weights.id, output)
        forward_done = time.perf_counter()
        method, cam = STRENGTH, strength(activation)
    else:
        shares = probabilities(network, output).detach()[0].cpu()
        predictions = _top(network, shares, top_k)
        forward_done = time.perf_counter()
        explained = _class(network, shares, int(shares.argmax()) if target is None else target)
        other = None if against is None else _class(network, shares, against)
        if other == explained:
            raise ValueError(f"{explained.label} cannot be asked for against itself; name another class")
        score = scores(network, output)[0]
        lead = score[explained.index] - (score[other.index] if other else 0)
        gradient = _gradient(network, lead, captured, chosen)
        evidence = Evidence(
            network,
            x,
            explained.index,
            other.index if other else None,
            progress or silent,
            chosen,
            activation,
            gradient,
        )
        cam = METHODS[method].explain(evidence)
        contributions = (activation * gradient).sum(dim=(1, 2))
        check_finite(f"{network.weights.id} at {chosen.path}", contributions)
    check_finite(f"{network.weights.id} at {chosen.path}", (activation, cam))
    heatmap = _at_view_size(cam, prepared.view.shape[:2])
    blank = "" if heatmap.any() else _why_blank(explained, other, contributions)
    backward_done = time.perf_counter()

    return Explanation(
        view=frozen(prepared.view),
        display=frozen(prepared.display),
        view_box=prepared.view_box,
        predictions=predictions,
        explained=explained,
        against=other,
        layer=chosen.path,
        method=method,
        cam=_array(cam),
        heatmap=heatmap,
        features=_array(activation),
        contributions=None if contributions is None else _array(contributions),
        device=str(device),
        answers_with=network.outputs,
        blank=blank,
        passage=seen.maps(network.weights.id),
        seconds=MappingProxyType(
            {
                "decode": decode_seconds,
                "load": load_seconds,
                "forward": forward_done - started,
                "backward": backward_done - forward_done,
            }
        ),
    )


def _why_blank(explained: Prediction | None, other: Prediction | None, contributions: Tensor | None) -> str:
    if explained is None or contributions is None:
        return "Nothing is active at this layer."
    name = f"{explained.label} rather than {other.label}" if other else explained.label
    if not contributions.any():
        return f"No gradient of the score of {name} reaches this layer, or nothing is active."
    return f"Nothing at this layer speaks for {name}: what is active there speaks against it."


def _layers_of(network: Network) -> SpatialLayers:
    return spatial_layers(network.model, network.input.shape)


def _choose_layer(network: Network, layer: str | None) -> SpatialLayer:
    found = _layers_of(network)
    if layer is None:
        return found.by_path[found.default]
    if layer not in found.by_path:
        raise ValueError(
            f"{layer!r} is not a layer of {network.weights.id} that can be explained; "
            f"try one of {_some(list(found.by_path), found.default)}"
        )
    return found.by_path[layer]


def _some(paths: list[str], default: str) -> str:
    """The default first, then the outermost layers, as many as fit in a sentence."""
    outermost = sorted((path for path in paths if path != default), key=lambda path: path.count("."))
    shown = [default, *outermost[:7]]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _forward(model: nn.Module, x: Tensor, path: str) -> tuple[Any, Tensor]:
    """(the network's answer, output of the layer at `path`, from which the answer's graph starts)."""
    with torch.no_grad(), cut_after(model.get_submodule(path)) as captured:
        output = model(x)
    return output, captured[-1]


def _gradient(network: Network, score: Tensor, captured: Tensor, layer: SpatialLayer) -> Tensor:
    """Gradient of the class score at the layer, [C, h, w]."""
    gradient = None
    if score.requires_grad:
        (gradient,) = torch.autograd.grad(score, captured, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"the answer of {network.weights.id} does not depend on {layer.path!r}; "
            f"try {default_layer(network)!r}"
        )
    return layer.to_map(gradient).float()


def _top(network: Network, probabilities: Tensor, top_k: int) -> tuple[Prediction, ...]:
    indices = probabilities.topk(min(top_k, len(probabilities))).indices.tolist()
    return tuple(_prediction(network, probabilities, index) for index in indices)


def _class(network: Network, probabilities: Tensor, named: int | str) -> Prediction:
    index = index_of(network.labels, named) if isinstance(named, str) else named
    if not 0 <= index < len(probabilities):
        raise ValueError(
            f"{index} is not a class of {network.weights.id}; "
            f"its {len(probabilities)} classes have the numbers 0 to {len(probabilities) - 1}"
        )
    return _prediction(network, probabilities, index)


def _prediction(network: Network, probabilities: Tensor, index: int) -> Prediction:
    label = output_name(network.labels, index)
    return Prediction(label, index, float(probabilities[index]))


def _at_view_size(cam: Tensor, size: tuple[int, ...]) -> np.ndarray:
    """[h, w] -> float32 [H, W], its largest value 1 unless it is zero everywhere."""
    size = tuple(size)
    if tuple(cam.shape) == size:
        peak = cam.flatten().kthvalue(max(1, round(_BRIGHT * cam.numel()))).values
        peak = peak if peak > 0 else cam.max()
    else:
        cam = grown(cam, size)
        peak = cam.max()
    return _array((cam / peak).clamp(max=1) if peak > 0 else torch.zeros_like(cam))


def _array(tensor: Tensor) -> np.ndarray:
    return frozen(tensor.detach().cpu().contiguous().numpy())


def frozen(array: np.ndarray) -> np.ndarray:
    """The array itself, no longer writable."""
    array.flags.writeable = False
    return array
