"""Somebody's own network as a graph of ONNX's: one file, `.onnx`, with what was exported to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.inputs import InputSpec
from explorer.networks.labels import of_imagenet
from explorer.networks.own import onnx_network
from explorer.networks.own.onnx_operations import NotHere
from explorer.networks.own.registry import Settings, check_shape
from explorer.networks.registries import UnknownNetwork

if TYPE_CHECKING:
    from torch import nn

_SIDE = 224  # pixels, where the file leaves it open


@dataclass(frozen=True)
class OwnGraph:
    """An `own.Own`. The graph is read anew each time: it may be exported again while it is looked at."""

    weights: Path
    shown: str
    name: str
    settings: Settings
    same_as: str = ""
    licence: str = "your own"
    learnt: bool = True
    remarks: tuple[str, ...] = ()

    def input_spec(self) -> InputSpec:
        told, stated = self._graph().input_shape, self.settings.input
        channels, height, width = told
        fixed = height is not None and width is not None
        if stated and any(own not in (None, side) for own, side in zip(told, stated, strict=True)):
            raise UnknownNetwork(
                f"{self.shown} was exported for {'x'.join(str(each or 'any') for each in told)}, and --input "
                f"says {'x'.join(map(str, stated))}; the file decides."
            )
        shape = (channels or 3, height or _SIDE, width or _SIDE)
        check_shape(shape)
        resize = math.floor(min(shape[1:]) * 256 / 224)
        return self.settings.over(InputSpec(shape, resize, fixed=fixed).with_channels(shape[0]))

    def build(self, image_size: int | None) -> nn.Module:
        spec = self.input_spec()
        if spec.fixed and image_size not in (None, *spec.shape[1:]):
            raise ValueError(f"it was exported for {spec.shape[1]} x {spec.shape[2]}")
        return self._graph().network()

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        """The file's numbers, computed by torch. Raises Misfit where they cannot be read."""
        try:
            graph = self._graph()
            model = graph.network(with_weights=True)
        except (onnx_network.Unreadable, NotHere) as error:
            raise Misfit(str(error)) from error
        if graph.classes is not None:
            model.__dict__["num_classes"] = graph.classes
        names = self.settings.names_of(self.shown, graph.classes) or of_imagenet(graph.classes or 0)
        return model, self.input_spec(), names

    def check(self) -> None:
        """Raises Misfit where the file is no graph that can be looked at."""
        try:
            self._graph()
        except onnx_network.Unreadable as error:
            raise Misfit(str(error)) from error

    def _graph(self) -> onnx_network.Graph:
        stat = self.weights.stat()
        return onnx_network.kept(self.weights, stat.st_mtime_ns, stat.st_size)


def opened(asked: str, settings: Settings) -> OwnGraph:
    """Raises UnknownNetwork with what stands in the way."""
    path = Path(asked).expanduser()
    if settings.weights or settings.architecture or settings.arguments:
        raise UnknownNetwork(
            f"{path.name} holds a whole network: --weights, --architecture and --arguments are not for it."
        )
    own = OwnGraph(path, path.name, path.stem, settings)
    try:
        graph = onnx_network.read(path)
    except onnx_network.Unreadable as error:
        raise UnknownNetwork(f"{path.name} cannot be opened: {error}.") from error
    settings.names_of(path.name, graph.classes)
    own.input_spec()
    return own
