"""The networks written in this folder; they have no trained weights of their own, the zoo's have."""

import importlib
from collections.abc import Callable

from torch import nn

from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec, usual
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
    """The paper's input."""
    written = WRITTEN_HERE[name]
    return usual(written.shape, fixed=written.fixed)


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return ()
