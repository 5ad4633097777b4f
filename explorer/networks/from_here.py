"""The networks written in this folder; they have no trained weights of their own, the zoo's have."""

import importlib
from collections.abc import Callable

from torch import nn

from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec
from explorer.networks.written_here import WRITTEN_HERE


def build(name: str, image_size: int | None = None) -> nn.Module:
    written = WRITTEN_HERE[name]
    if written.fixed and image_size not in (None, written.shape[1]):
        raise ValueError(
            f"its first fully connected layer is made for {written.shape[1]} x {written.shape[1]}"
        )
    function: Callable[[], nn.Module] = getattr(
        importlib.import_module(f"explorer.networks.{written.module}"), written.function
    )
    return function()


def input_spec(name: str) -> InputSpec:
    """The paper's input; a grey one is normalised around 0.5, a coloured one as ImageNet is."""
    written = WRITTEN_HERE[name]
    grey = {"mean": (0.5,), "std": (0.5,)} if written.shape[0] == 1 else {}
    side = written.shape[1]
    resize = round(side * 256 / 224) if side >= 224 else side
    return InputSpec(shape=written.shape, resize=resize, fixed=written.fixed, **grey)


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return ()
