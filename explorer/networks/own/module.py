"""A module that lives in this process, as a notebook hands it over (`explorer.show`)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from explorer.networks.inputs import InputSpec
from explorer.networks.own.code import check_takes_one_image


@dataclass(frozen=True)
class OwnModule:
    """module: a copy that nobody else has. labels: names of its classes by output."""

    module: nn.Module
    spec: InputSpec
    labels: tuple[str, ...] = field(default=(), repr=False)
    same_as = ""
    licence = "your own"
    learnt = True
    remarks = ()

    @property
    def name(self) -> str:
        return type(self.module).__name__

    @property
    def shown(self) -> str:
        return f"a {self.name} of this session"

    @property
    def weights(self) -> Path | None:
        return None

    def check(self) -> None:
        check_takes_one_image(self.module, self.name)

    def input_spec(self) -> InputSpec:
        return self.spec

    def build(self, image_size: int | None) -> nn.Module:
        return deepcopy(self.module)

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        return self.build(None), self.spec, self.labels
