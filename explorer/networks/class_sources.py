"""Where the code of a network's modules stands: file and line of each class, as its package ships it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from explorer.networks.building import build
from explorer.networks.resolving import Reference


@dataclass(frozen=True)
class ClassSource:
    """name: the class. file: relative to the folder its package lies in, "torchvision/models/resnet.py"."""

    name: str
    module: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def class_sources(reference: Reference) -> dict[str, ClassSource]:
    """By dotted path of the module ("" is the network), for every class whose source is on this machine.

    Raises what `build` raises.
    """
    model = build(reference, device="meta")
    by_kind = {kind: source_of(kind) for kind in {type(module) for module in model.modules()}}
    found = {path: by_kind[type(module)] for path, module in model.named_modules()}
    return {path: source for path, source in found.items() if source is not None}


def source_of(kind: type[nn.Module]) -> ClassSource | None:
    """None for a class that was made at run time."""
    try:
        path = inspect.getsourcefile(kind)
        _, line = inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return None
    top = sys.modules.get(kind.__module__.partition(".")[0])
    if path is None or top is None or not getattr(top, "__file__", None):
        return None
    package = Path(str(top.__file__)).parent
    file = Path(path)
    try:
        return ClassSource(kind.__name__, kind.__module__, file.relative_to(package.parent).as_posix(), line)
    except ValueError:
        return None
