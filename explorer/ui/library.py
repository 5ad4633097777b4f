"""The library: what the app computes, for a notebook or a program of one's own.

    import explorer

    explorer.stats("resnet50")                          # or any torch module of one's own
    explorer.diagram(model, (3, 32, 32), level="block")  # draws itself in a notebook
    explorer.explain("box:tf_efficientnet_lite2", "cat.jpg")
    explorer.show(model, (3, 32, 32))                   # the whole app on it, in the browser

A network is the name of one (as on the command line) or a `torch.nn.Module`. `image` is what it is given:
None for its own size (224 x 224 in colour for a module), a side in pixels, a shape (C, H, W) or (N, C, H, W),
or a tensor. A module is read as it is in evaluation mode; nothing about it is changed.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.analysis.numbers.stats import Stats
from explorer.ui.network import printed

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, nn

    from explorer.analysis import ReceptiveField, Trace
    from explorer.inference import Explanation
    from explorer.networks import InputSpec, Network

    Given = int | Sequence[int] | Tensor | None

_SHAPE = (3, 224, 224)


class Sheet(Stats):
    """`Stats` that prints as the command line prints it."""

    def __str__(self) -> str:
        return printed.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


@dataclass(frozen=True)
class Diagram:
    """A drawing that refers to nothing outside itself; a notebook shows it. svg: the file's text."""

    svg: str

    def save(self, path: str | Path) -> None:
        """Written beside its place and then renamed; WriteError names the file where that fails."""
        from explorer.catalogue.writing import write_whole

        write_whole(Path(path), self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg


def trace(network: str | nn.Module, image: Given = None) -> Trace:
    """The network as data: its operations in order with shapes, parameters and MACs.

    Raises UnknownNetwork, CannotBuild or ImageSizeError for a name; what a module raises passes through.
    """
    from explorer import analysis

    if isinstance(network, str):
        return analysis.trace(network, _side(image))
    return analysis.trace_module(network, _shape(image), type(network).__name__)


def stats(network: str | nn.Module, image: Given = None) -> Sheet:
    """Parameters, MACs, activations, depth, receptive field, and a row a layer; see `Stats`."""
    from explorer.analysis import stats as counted
    from explorer.analysis import stats_of

    found = counted(network, _side(image)) if isinstance(network, str) else stats_of(trace(network, image))
    return Sheet(**{each.name: getattr(found, each.name) for each in fields(found)})


def receptive_fields(network: str | nn.Module, image: Given = None) -> Mapping[str, ReceptiveField]:
    """What one unit of every layer sees of the image, in pixels, by the layer's path in the module tree."""
    return {
        layer.path: layer.receptive_field for layer in stats(network, image).layers if layer.receptive_field
    }


def diagram(
    network: str | nn.Module,
    image: Given = None,
    *,
    level: str = "stage",
    open: Iterable[str] = (),
    overlay: str = "",
    flow: str = "rows",
    dark: bool = False,
) -> Diagram:
    """The block diagram. level: "stage", "block" or "op"; open: paths of boxes to open as well; overlay: a
    name of `analysis.numbers.overlays.OVERLAYS`; flow: "rows", "right" or "down".

    Raises ValueError for a level, box, overlay or flow that there is not.
    """
    from explorer.analysis import receptive_fields as seen
    from explorer.analysis.diagram.cut import opened_at
    from explorer.analysis.structure.hierarchy import hierarchy
    from explorer.ui.diagram.drawing import Wanted, check, standalone

    check(overlay, flow)
    traced = trace(network, image)
    boxes = hierarchy(traced, seen(traced))
    wanted = Wanted(opened_at(boxes, level, open), flow=flow, overlay=overlay)
    return Diagram(standalone(boxes, wanted, traced.name, dark=dark))


@dataclass(frozen=True)
class Explained:
    """`Explanation` with the picture a notebook shows: heatmap over the crop, and the likeliest classes."""

    explanation: Explanation

    def overlay(self, opacity: float = 0.5, colormap: str = "Viridis") -> Image.Image:
        from explorer.inference import overlay

        return overlay(self.explanation, opacity, colormap)

    def __str__(self) -> str:
        found = self.explanation
        rows = (f"  {100 * each.probability:5.1f}%  {each.label}" for each in found.predictions)
        return "\n".join([f"{found.method} at {found.layer}", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        buffer = io.BytesIO()
        self.overlay().save(buffer, "png")
        drawn = b64encode(buffer.getvalue()).decode()
        return f'<img alt="heatmap" src="data:image/png;base64,{drawn}"><pre>{escape(str(self))}</pre>'


def explain(
    network: str | nn.Module,
    picture: str | Path | bytes | Image.Image,
    *,
    labels: Sequence[str] = (),
    input: InputSpec | None = None,
    layer: str | None = None,
    target: int | str | None = None,
    against: int | str | None = None,
    method: str = "Grad-CAM",
) -> Explained:
    """Predictions, heatmap and feature maps of one picture, on the CPU.

    network: a name, an id of weights ("timm:resnet50.a1_in1k"), or a module with one output a class. labels,
    input: of a module, the names of its classes and how a picture is prepared (default: 224 x 224 as for
    ImageNet). target: the class to explain, by number or name, the likeliest if None; against: another, to
    ask why the one and not the other.
    Raises ImageError for what is no picture, ValueError for a layer, class or method that there is not, and
    WeightsUnavailable where the weights cannot be had.
    """
    from PIL import Image

    from explorer import inference, networks
    from explorer.inference.images import read_file

    if isinstance(network, str):
        named = networks.load(_weights_id(network))
    else:
        named = _of_module(network, labels, input)
    if isinstance(picture, (str, Path)):
        image = read_file(Path(picture)).image
    else:
        image = picture.convert("RGB") if isinstance(picture, Image.Image) else inference.decode(picture)
    found = inference.explain(named, image, layer=layer, target=target, against=against, method=method)
    return Explained(found)


@dataclass(frozen=True)
class Shown:
    """Where the app shows a network, as long as this process lives; a notebook shows the link."""

    address: str

    def __str__(self) -> str:
        return self.address

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self.address)}" target="_blank">{escape(self.address)}</a>'


def show(
    network: str | nn.Module,
    image: Given = None,
    *,
    labels: Sequence[str] = (),
    input: InputSpec | None = None,
    browser: bool = True,
) -> Shown:
    """The app, opened on a network: for a module a copy of it as it is now, under "yours" in the picker.

    A thread of this process serves it, on this machine alone (127.0.0.1) and until the process ends; so it
    takes the memory of this process and waits while a cell computes. labels, input: as for `explain`; image:
    of a module, in the place of `input.shape`. browser: whether to open it there, too.
    Raises what `trace` raises, and ValueError for a module of several inputs or answers.
    """
    from explorer.ui import starting

    reference = _registered(network, image, labels, input)
    address = starting.page_of(starting.beside(), reference)
    if browser:
        starting.open_in_browser(address)
    return Shown(address)


def _registered(network: str | nn.Module, image: Given, labels: Sequence[str], spec: InputSpec | None) -> str:
    """The reference that the app knows it by."""
    from uuid import uuid4

    from explorer.networks import resolve
    from explorer.networks.inputs import usual
    from explorer.networks.own import registry
    from explorer.networks.own.module import OwnModule
    from explorer.serving.trial import check_gives_one_answer

    if isinstance(network, str):
        return str(resolve(network))
    if spec is None or image is not None:
        channels, height, width = _shape(image)[-3:]
        shape = registry.Settings(input=(channels, height, width))
        spec = usual((channels, height, width)) if spec is None else shape.over(spec)
    shown = OwnModule(deepcopy(network).cpu(), spec, tuple(labels))
    shown.check()
    check_gives_one_answer(trace(network, spec.shape), shown.name)
    return registry.register(shown, uuid4().hex[:16], learnt=True)


def _weights_id(name: str) -> str:
    from explorer import networks

    try:
        return networks.entry_of(name).id
    except ValueError:  # the name of a network
        return networks.choose_weights(name).id


def _of_module(module: nn.Module, labels: Sequence[str], spec: InputSpec | None) -> Network:
    """A copy, because looking at it sets its activations not to overwrite what they are given."""
    from explorer.networks import InputSpec, Reference, WeightsEntry
    from explorer.networks.weights import network

    name = type(module).__name__
    reference = Reference("explorer", name)
    spec = spec or InputSpec(_SHAPE, resize=256)
    entry = WeightsEntry(f"own:{name}", reference, name, licence="your own", input=spec)
    return network(entry, deepcopy(module), spec, tuple(labels))


def _side(image: Given) -> int | None:
    """For a network that is named: a side in pixels. Raises ValueError for what is not square."""
    if image is None or isinstance(image, int):
        return image
    height, width = _shape(image)[-2:]
    if height != width:
        raise ValueError(
            f"{height} x {width} pixels: a network by name takes a square; build it and hand it in."
        )
    return height


def _shape(image: Given) -> tuple[int, ...]:
    """(N, C, H, W)"""
    if image is None:
        return (1, *_SHAPE)
    if isinstance(image, int):
        return (1, 3, image, image)
    shape = tuple(map(int, getattr(image, "shape", image)))
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise ValueError(f"{shape} is no shape of an image; give (C, H, W) or (N, C, H, W)")
    return shape if len(shape) == 4 else (1, *shape)
