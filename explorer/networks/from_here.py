"""The networks written in this folder; they have no trained weights of their own, the zoo's have."""

import importlib
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec
from explorer.networks.written_here import WRITTEN_HERE


def build(name: str, image_size: int | None = None) -> nn.Module:
    written = WRITTEN_HERE[name]
    side = written.shape[1]
    if written.fixed and image_size not in (None, side):
        raise ValueError(f"its first fully connected layer is made for {side} x {side}")
    function: Callable[[], nn.Module] = getattr(
        importlib.import_module(f"explorer.networks.{written.module}"), written.function
    )
    return function()


def input_spec(name: str) -> InputSpec:
    """The paper's input; a grey one is normalised around 0.5, a coloured one as ImageNet is."""
    written = WRITTEN_HERE[name]
    side = written.shape[1]
    resize = round(side * 256 / 224) if side >= 224 else side
    spec = InputSpec(shape=written.shape, resize=resize, fixed=written.fixed)
    return replace(spec, mean=(0.5,), std=(0.5,)) if spec.channels == 1 else spec


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return ()
