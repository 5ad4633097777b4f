"""Networks that the visitor brought: `own:NAME`, one of those that the command that started this process
registered. Needs no torch.

Nothing else opens them: a link can choose among the registered and names no file, and a hosted explorer
(EXPLORER_HOSTED) registers none, for what is opened here may be code.
"""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from explorer.networks import label_file
from explorer.networks.inputs import CropMode, InputSpec
from explorer.networks.registries import UnknownNetwork

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Settings:
    """What its owner says of a network beside where it is; None or empty where nothing is said.

    input: (C, H, W). weights, labels: files. mean, std: per channel, for values from 0 to 1. resize: the
    shorter side in pixels before the crop. architecture: a reference, "timm:resnet18", for a file of weights
    that does not say it. arguments: by keyword, for a class or a function.
    """

    input: tuple[int, int, int] | None = None
    weights: Path | None = None
    labels: Path | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    resize: int | None = None
    crop: CropMode | None = None
    architecture: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises UnknownNetwork for an input beyond what `check_shape` takes."""
        if self.input is not None:
            check_shape(self.input)

    def over(self, spec: InputSpec) -> InputSpec:
        """The preparation with what is said here in the place of what stands there. Raises UnknownNetwork
        where mean or std are not one number a channel.
        """
        if self.input is not None and self.input != spec.shape:
            resize = max(1, math.floor(min(self.input[1:]) / spec.crop_pct))
            mean, std = (_averaged(each, self.input[0]) for each in (spec.mean, spec.std))
            spec = replace(spec, shape=self.input, resize=resize, mean=mean, std=std)
        for name in ("mean", "std"):
            values = getattr(self, name)
            if values is not None and len(values) not in (1, spec.channels):
                raise UnknownNetwork(
                    f"--{name} has {len(values)} numbers, and the input {spec.channels} channels; give one "
                    "number, or one a channel."
                )
        return replace(
            spec,
            mean=_a_channel(self.mean or spec.mean, spec.channels),
            std=_a_channel(self.std or spec.std, spec.channels),
            resize=self.resize or spec.resize,
            crop_share=None if self.resize else spec.crop_share,
            crop_mode=self.crop or spec.crop_mode,
        )

    def class_names(self) -> tuple[str, ...]:
        """By output; () where nobody named them. Raises UnknownNetwork for a file that is no such list."""
        return label_file.read(self.labels) if self.labels else ()

    def names_of(self, shown: str, outputs: int | None) -> tuple[str, ...]:
        """`class_names` for so many outputs, None where nobody knows; of two for a single one the second is
        what it says yes to. Raises UnknownNetwork where their numbers differ. shown: what the network is
        called.
        """
        names = self.class_names()
        if outputs == 1 and len(names) == 2:
            return names[1:]
        if self.labels and outputs is not None and len(names) != outputs:
            raise UnknownNetwork(
                f"{self.labels.name} names {len(names):,} classes, and {shown} has {outputs:,} "
                f"output{'s' * (outputs > 1)}; one name a line is wanted for each, in their order."
            )
        return names


def check_shape(shape: tuple[int, int, int]) -> None:
    """Raises UnknownNetwork for a picture (C, H, W) that no network takes; a satellite's has 200 channels."""
    channels, *sides = shape
    if channels > _MOST_CHANNELS or max(sides) > _LONGEST_SIDE:
        raise UnknownNetwork(
            f"A picture of {'x'.join(f'{each:,}' for each in shape)} is asked for; up to {_MOST_CHANNELS:,} "
            f"channels and {_LONGEST_SIDE:,} pixels a side are taken."
        )


class Own(Protocol):
    """A network in its owner's files. What it raises ends in a sentence, as for every builder.

    name: what it would like to be called, of letters, digits, ".", "-" and "_". shown: as its owner wrote it,
    without the folder: "net.py:Net". same_as: the reference of a known network that it is a build of, else
    "". learnt: whether `read` gives trained weights; False where only running it tells. weights: their file.
    """

    @property
    def name(self) -> str: ...
    @property
    def shown(self) -> str: ...
    @property
    def same_as(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def learnt(self) -> bool: ...
    @property
    def weights(self) -> Path | None: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...

    def check(self) -> None:
        """Raises UnknownNetwork, or checkpoint_file.Misfit, with what stands in its way; called before any
        mode of torch is on."""

    def input_spec(self) -> InputSpec: ...
    def build(self, image_size: int | None) -> nn.Module:
        """For a square input of this side, or for its own; also under `without_memory.MetaDevice`."""

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        """With its weights; the names of its classes by output."""


@dataclass(frozen=True)
class Registered:
    """A network as the rest of the program knows it. fingerprint: the same for the same operations. learnt:
    whether its weights are more than a fresh draw; made_by_code: then they stand in no file of weights.
    """

    own: Own
    fingerprint: str
    learnt: bool

    @property
    def made_by_code(self) -> bool:
        return self.learnt and self.own.weights is None


# How the file ends -> the module of this folder whose `opened(asked, settings)` gives an Own.
OPENERS: Mapping[str, str] = MappingProxyType(
    {
        ".py": "code",
        ".onnx": "graph",
        **dict.fromkeys((".bin", ".ckpt", ".pt", ".pth", ".safetensors", ".tar"), "weights"),
        "": "weights",  # a folder
    }
)
_CODE = re.compile(r"(?s)(.+\.py|[A-Za-z_]\w*(\.\w+)*):[A-Za-z_][\w.]*")
_MOST_CHANNELS, _LONGEST_SIDE = 1_024, 65_536
_OTHER_KINDS = ("box", "random", "hf_hub")  # before the colon of weights, or of an older spelling
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")

_registered: dict[str, Registered] = {}
_lock = threading.Lock()


def is_own(asked: str, prefixes: tuple[str, ...]) -> bool:
    """Whether what stands on a command line is a file or code of one's own, rather than a known network's
    name. prefixes: those of known networks, which a module of Python might be called, too.
    """
    if asked.partition(":")[0] in (*prefixes, *_OTHER_KINDS):
        return False
    return bool(_CODE.fullmatch(asked)) or _suffix(asked) in OPENERS


def opened(asked: str, settings: Settings) -> Own:
    """What `FILE.py:NAME`, `MODULE:NAME` or a file means; nothing in it is run yet.

    Raises UnknownNetwork for what is not there, and on a hosted explorer.
    """
    refuse_where_hosted()
    opener = ".py" if _CODE.fullmatch(asked) else _suffix(asked)
    if opener is None or opener not in OPENERS:
        raise UnknownNetwork(
            f"{asked!r} is no network of one's own; write FILE.py:NAME, MODULE:NAME, or a file of weights or "
            "of ONNX's."
        )
    if opener == ".py" and ":" not in asked:
        raise UnknownNetwork(
            f"Which of the networks in {asked}? Write {asked}:NAME, a class or function in it."
        )
    open_it: Callable[[str, Settings], Own] = import_module(f"explorer.networks.own.{OPENERS[opener]}").opened
    return open_it(asked, settings)


def _suffix(asked: str) -> str | None:
    """By which its opener is known; "" for a folder, which a path tells from a name."""
    path = Path(asked)
    if "/" in asked.replace(os.sep, "/") and path.is_dir():
        return ""
    return path.suffix.lower() or None


def refuse_where_hosted() -> None:
    """Raises UnknownNetwork where strangers visit."""
    if os.environ.get("EXPLORER_HOSTED"):
        raise UnknownNetwork(
            "A hosted explorer (EXPLORER_HOSTED) opens nobody's own networks, because opening one may run "
            "its code; start it at home."
        )


def register(own: Own, fingerprint: str, *, learnt: bool) -> str:
    """The reference by which all pages know it from now on, "own:NAME"; the second of a name is NAME-2."""
    refuse_where_hosted()
    wanted = _NOT_IN_A_NAME.sub("-", own.name).strip("-") or "network"
    with _lock:
        names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(_registered) + 3)))
        name = next(each for each in names if each not in _registered)
        _registered[name] = Registered(own, fingerprint, learnt)
    return f"own:{name}"


def registered() -> Mapping[str, Registered]:
    """By name, in the order in which they came."""
    with _lock:
        return MappingProxyType(dict(_registered))


def get(name: str) -> Registered:
    """Raises UnknownNetwork with the names there are."""
    known = registered()
    if name in known:
        return known[name]
    there = f"there: {', '.join(f'own:{each}' for each in known)}" if known else "none was"
    raise UnknownNetwork(
        f"No network of one's own called {name[:80]!r} was registered when this program was started; "
        f"{there}. `python -m explorer app FILE.py:NAME` registers one."
    )


def forget() -> None:
    """All of them, for tests."""
    with _lock:
        _registered.clear()


def _averaged(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """For another number of channels the average of those that there are."""
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def _a_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values * channels if len(values) == 1 else values
