"""What a file of weights holds, by names and shapes: the truth about classes and channels, to which whatever
is said of the network (a config.json, what its training was told) is held before anything is shown.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self, TypeVar

from torch import Tensor, nn

from explorer.networks.checkpoint_contents import Misfit, Shapes, contents, state
from explorer.networks.entries import first_sentence
from explorer.networks.inputs import InputSpec
from explorer.networks.without_memory import MetaDevice

_NAMED, _LONGEST = 3, 120  # tensors that a sentence names, and characters of each


class Configuration(Protocol):
    """What is said of the network in a file: `checkpoint_config` of timm's, `torchvision_config` of others.

    counts: where the number of outputs is stated -> that number. stated_by: who states all of it, as a
    sentence names him; "" where nobody does. heads, first_convs: paths of the modules in these roles.
    label_offset: rows of the file's head before the first class.
    """

    @property
    def architecture(self) -> str: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def stated_by(self) -> str: ...
    @property
    def outputs(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def heads(self) -> tuple[str, ...]: ...
    @property
    def first_convs(self) -> tuple[str, ...]: ...
    @property
    def label_offset(self) -> int: ...
    @property
    def named_classes(self) -> int: ...
    @property
    def input(self) -> InputSpec: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    def with_outputs(self, outputs: int, remark: str = "") -> Self: ...
    def with_channels(self, channels: int, remark: str = "") -> Self: ...
    def remarked(self, remark: str) -> Self: ...
    def build(
        self, image_size: int | None = None, weights: Path | Mapping[str, Tensor] | None = None
    ) -> nn.Module: ...


C = TypeVar("C", bound=Configuration)


def held_against(stated: C, path: Path) -> C:
    """The configuration with the file's number of outputs and channels, and a remark on each that is not the
    one stated, and on what of the file is left out. Raises Misfit where the file cannot be read.
    """
    held, config = _held(stated, path), stated
    for remark in _reading(stated, path).remarks:
        config = config.remarked(remark)
    by = stated.stated_by
    outputs = _outputs(stated, held)
    if outputs is not None and any(count != outputs for count in (stated.outputs, *stated.counts.values())):
        said = ", ".join(f"{count:,} ({place})" for place, count in stated.counts.items() if count != outputs)
        remark = (
            f"Its file of weights holds {_of_outputs(outputs)}, while {by} says {said}: the file is right."
        )
        config = config.with_outputs(outputs, remark if said else "")
    channels = _channels(config, held)
    if channels != config.channels:
        remark = (
            f"Its file of weights takes {channels} channel{'s' * (channels > 1)}, while {by} says "
            f"{config.channels}: the file is right."
        )
        config = config.with_channels(channels, remark if by else "")
    if config.named_classes not in (0, config.outputs):
        config = config.remarked(
            f"{by} names {config.named_classes:,} classes, and its file of weights holds "
            f"{_of_outputs(config.outputs)}: the names are left out."
        )
    return config


def read(stated: Configuration, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """The network with the file's weights, its input and the names of its classes. Raises Misfit."""
    config, names = held_against(stated, path), _reading(stated, path).names
    try:
        if contents(path).plain and all(name == own for name, own in names.items()):
            return config.build(weights=path), config.input, config.labels
        tensors = state(path)
        weights = {own: tensors[name] for name, own in names.items() if name in tensors}
        return config.build(weights=weights), config.input, config.labels
    except Exception as error:  # load_state_dict lists every tensor, each library faults of its own kind
        raise Misfit(_difference(config, path) or first_sentence(error)) from error


def check_fits(config: Configuration, path: Path) -> None:
    """Raises Misfit where the file cannot be loaded into the network that is configured.

    Equal names and shapes settle it without reading a weight; a file that timm renames first is read once.
    """
    if _difference(config, path):
        stat = path.stat()
        if fault := _loading_fault(_Kept(config), path, stat.st_mtime_ns, stat.st_size):
            raise Misfit(fault)


@dataclass(frozen=True)
class _Reading:
    """names: of a tensor in the file -> in the network; what is not in it is left out."""

    names: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def _reading(config: Configuration, path: Path) -> _Reading:
    """How the file's names become the network's."""
    held = contents(path).shapes
    if _named_alike(config, held):
        return _Reading({name: name for name in held})
    stat = path.stat()
    return _compared(_Kept(config), path, stat.st_mtime_ns, stat.st_size)


def _named_alike(config: Configuration, held: Shapes) -> bool:
    """Whether first and last layer bear the network's own names, so that it need not be built to see that."""
    ends = (config.heads, config.first_convs)
    return all(any(f"{name}.weight" in held for name in names) for names in ends)


@lru_cache(maxsize=64)
def _compared(kept: "_Kept", path: Path, _changed: int, _size: int) -> _Reading:
    held, wanted = contents(path).shapes, _shapes_of(kept)
    remarks = []
    prefix = prefix_in(held, wanted)
    names = {name: name.removeprefix(prefix) for name in held if name.startswith(prefix)}
    if others := [name for name in held if name not in names]:
        remarks.append(
            f"The network is what its file of weights holds under {prefix.rstrip('.')[:60]!r}; left out: "
            f"{len(others):,} further tensor{'s' * (len(others) > 1)}{_some(others)}."
        )
    for head in kept.config.heads:
        if layer := _only_layer(head, {own: held[name] for name, own in names.items()}, wanted):
            names = {
                name: f"{head}{own.removeprefix(layer)}" if own.startswith(f"{layer}.") else own
                for name, own in names.items()
            }
            remarks.append(
                f"Its head is several layers, of which its file of weights knows {layer} alone: what stands "
                "before it is taken for dropout, which does nothing to an answer."
            )
    return _Reading(MappingProxyType(names), tuple(remarks))


def _only_layer(head: str, held: Shapes, wanted: Shapes) -> str:
    """Where the one layer of a head lies that was put in as nn.Sequential(Dropout, Linear): "fc.1" for "fc".

    "" where there is no such, or more than one.
    """
    own, inside = f"{head}.weight", re.compile(rf"({re.escape(head)}\.\w+)\.weight")
    layers = [found[1] for name in held if (found := inside.fullmatch(name))]
    if own not in wanted or own in held or len(layers) != 1:
        return ""
    shape = held[f"{layers[0]}.weight"]
    return layers[0] if len(shape) == len(wanted[own]) and shape[1:] == wanted[own][1:] else ""


def prefix_in(held: Iterable[str], wanted: Collection[str]) -> str:
    """What stands in the file before the network's own names: Lightning's "model."; "" where nothing fits."""
    found: Counter[str] = Counter()
    for name in held:
        for start in (0, *(place + 1 for place, letter in enumerate(name) if letter == ".")):
            if name[start:] in wanted:
                found[name[:start]] += 1
    best = max(found, key=lambda prefix: (found[prefix], -len(prefix)), default="")
    return best if found[best] > len(wanted) / 2 else ""


def _held(config: Configuration, path: Path) -> Shapes:
    """Shapes in the file by the network's names. Raises Misfit where it cannot be read."""
    shapes, names = contents(path).shapes, _reading(config, path).names
    return {own: shapes[name] for name, own in names.items()}


def _outputs(stated: Configuration, held: Shapes) -> int | None:
    """Rows of the head in the file; 0 where all that the file lacks is a head; None where it does not say."""
    heads = stated.heads
    for head in heads:
        if shape := held.get(f"{head}.weight"):
            return max(shape[0] - stated.label_offset, 0)
    if not heads or stated.outputs == 0:
        return 0 if stated.outputs == 0 else None
    lacking = _shapes_of(_Kept(stated)).keys() - held.keys()
    only_heads = all(key.rpartition(".")[0] in heads for key in lacking)
    headless = stated.with_outputs(0)
    return 0 if only_heads and _shapes_of(_Kept(headless)).keys() == held.keys() else None


def _channels(config: Configuration, held: Shapes) -> int:
    """From the first convolution, whose second side grows with the channels; as stated where it has none."""
    for first in config.first_convs:
        shape = held.get(f"{first}.weight", ())
        if len(shape) < 2 or shape[1] == config.channels:
            continue
        built = _shapes_of(_Kept(config)).get(f"{first}.weight", ())
        if len(built) != len(shape) or shape[2:] != built[2:]:
            continue
        channels, rest = divmod(config.channels * shape[1], built[1])
        if channels and not rest:
            return channels
    return config.channels


def _of_outputs(count: int) -> str:
    return "no head, so its output is an embedding" if not count else f"{count:,} output{'s' * (count > 1)}"


def _difference(config: Configuration, path: Path) -> str:
    """What the file has too little or too much for the configured network; "" where it is the very one."""
    return misfit(_held(config, path), _shapes_of(_Kept(config)), config.architecture)


def misfit(held: Shapes, wanted: Shapes, network: str) -> str:
    """What tensors of a file have too little or too much for a network, by its names, as the end of a
    sentence; "" where they are the very ones.
    """
    lacking = [key for key in wanted if key not in held]
    over = [key for key in held if key not in wanted]
    other = [
        f"{key[:60]} {list(held[key])} for {list(wanted[key])}"
        for key in wanted
        if key in held and held[key] != wanted[key]
    ]
    if not lacking and not over and not other:
        return ""
    parts = {"lacking": lacking, "left over": over, "of another shape": other}
    said = ", ".join(
        f"{len(keys):,} {'is' if len(keys) == 1 else 'are'} {what}{_some(keys)}"
        for what, keys in parts.items()
        if keys
    )
    return f"its file of weights does not fit {network}: of {len(wanted):,} tensors {said}"


def _some(keys: list[str]) -> str:
    more = ", ..." if len(keys) > _NAMED else ""
    return f" ({', '.join(key[:_LONGEST] for key in keys[:_NAMED])}{more})"


class _Kept:
    """A configuration as the key of a cache: two that build the same network are one."""

    def __init__(self, config: Configuration):
        self.config = config

    def __hash__(self) -> int:
        return hash(self.config.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.config.fingerprint == self.config.fingerprint


@lru_cache(maxsize=64)
def _shapes_of(kept: _Kept) -> Shapes:
    """Of the network that is configured. Raises Misfit where there is none such."""
    try:
        with MetaDevice():
            state = kept.config.build().state_dict()
    except Exception as error:
        raise Misfit(first_sentence(error)) from error
    return MappingProxyType({key: tuple(value.shape) for key, value in state.items()})


@lru_cache(maxsize=64)
def _loading_fault(kept: _Kept, path: Path, _changed: int, _size: int) -> str:
    try:
        read(kept.config, path)
    except Misfit as misfit:
        return str(misfit)
    return ""
