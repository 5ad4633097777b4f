"""What a file of weights holds, by names and shapes: the truth about classes and channels, to which the
config.json beside it is held before anything is shown.

Of safetensors only the header is read, of a pickle everything but the numbers, and no code in it is run.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from torch import Tensor, nn

from explorer.networks.checkpoint_config import CheckpointConfig
from explorer.networks.entries import first_sentence
from explorer.networks.inputs import InputSpec
from explorer.networks.without_memory import MetaDevice

Shapes = Mapping[str, tuple[int, ...]]
_NAMED = 3  # tensors that a sentence names


class Misfit(ValueError):  # noqa: N818 - it is what a reader is told
    """The file cannot be read, or is of another network than its config.json says; the end of a sentence."""


def held_against(stated: CheckpointConfig, path: Path) -> CheckpointConfig:
    """The configuration with the file's number of outputs and channels, and a remark on each that is not the
    one stated. Raises Misfit where the file cannot be read.
    """
    held, config = _shapes_in(path), stated
    outputs = _outputs(stated, held)
    if outputs is not None and any(count != outputs for count in (stated.outputs, *stated.counts.values())):
        said = ", ".join(f"{count:,} ({place})" for place, count in stated.counts.items() if count != outputs)
        remark = (
            f"Its file of weights holds {_of_outputs(outputs)}, while config.json says {said}: "
            "the file is right."
        )
        config = config.with_outputs(outputs, remark if said else "")
    channels = _channels(config, held)
    if channels != config.channels:
        remark = (
            f"Its file of weights takes {channels} channel{'s' * (channels > 1)}, while config.json says "
            f"{config.channels}: the file is right."
        )
        config = config.with_channels(channels, remark)
    named = config.pretrained_cfg.get("label_names")
    if named and len(named) != config.outputs:
        config = config.remarked(
            f"config.json names {len(named):,} classes, and its file of weights holds "
            f"{_of_outputs(config.outputs)}: the names are left out."
        )
    return config


def read(stated: CheckpointConfig, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """The network with the file's weights, its input and the names of its classes. Raises Misfit."""
    config = held_against(stated, path)
    try:
        return config.build(weights=path), config.input, config.labels
    except Exception as error:  # load_state_dict lists every tensor, each library faults of its own kind
        raise Misfit(_difference(config, path) or first_sentence(error)) from error


def check_fits(config: CheckpointConfig, path: Path) -> None:
    """Raises Misfit where timm cannot load the file into the network that is configured.

    Equal names and shapes settle it without reading a weight; a file that timm renames first is read once.
    """
    if _difference(config, path):
        stat = path.stat()
        if fault := _loading_fault(_Kept(config), path, stat.st_mtime_ns, stat.st_size):
            raise Misfit(fault)


def _outputs(stated: CheckpointConfig, held: Shapes) -> int | None:
    """Rows of the head in the file; 0 where all that the file lacks is a head; None where it does not say."""
    heads = _heads(stated)
    offset = int(stated.pretrained_cfg.get("label_offset", 0))
    for head in heads:
        if shape := held.get(f"{head}.weight"):
            return max(shape[0] - offset, 0)
    if not heads or stated.outputs == 0:
        return 0 if stated.outputs == 0 else None
    lacking = _shapes_of(_Kept(stated)).keys() - held.keys()
    only_heads = all(key.rpartition(".")[0] in heads for key in lacking)
    headless = stated.with_outputs(0)
    return 0 if only_heads and _shapes_of(_Kept(headless)) == held else None


def _channels(config: CheckpointConfig, held: Shapes) -> int:
    """From the first convolution, whose second side grows with the channels; as stated where it has none."""
    for first in _named(config, "first_conv"):
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


def _heads(config: CheckpointConfig) -> tuple[str, ...]:
    return _named(config, "classifier")


def _named(config: CheckpointConfig, key: str) -> tuple[str, ...]:
    """Modules that the configuration, else timm's own for the architecture, calls by this role."""
    from timm.models import get_pretrained_cfg

    own = get_pretrained_cfg(config.architecture)
    found = config.pretrained_cfg.get(key) or getattr(own, key, None) or ()
    return (found,) if isinstance(found, str) else tuple(str(each) for each in found)


def _of_outputs(count: int) -> str:
    return "no head, so its output is an embedding" if not count else f"{count:,} output{'s' * (count > 1)}"


def _difference(config: CheckpointConfig, path: Path) -> str:
    """What the file has too little or too much for the configured network; "" where it is the very one."""
    held, wanted = _shapes_in(path), _shapes_of(_Kept(config))
    lacking = [key for key in wanted if key not in held]
    over = [key for key in held if key not in wanted]
    other = [key for key in wanted if key in held and held[key] != wanted[key]]
    if not lacking and not over and not other:
        return ""
    parts = {"lacking": lacking, "left over": over, "of another shape": other}
    said = ", ".join(
        f"{len(keys):,} {'is' if len(keys) == 1 else 'are'} {what}{_some(keys)}"
        for what, keys in parts.items()
        if keys
    )
    return f"its file of weights does not fit {config.architecture}: of {len(wanted):,} tensors {said}"


def _some(keys: list[str]) -> str:
    more = ", ..." if len(keys) > _NAMED else ""
    return f" ({', '.join(key[:60] for key in keys[:_NAMED])}{more})"


class _Kept:
    """A configuration as the key of a cache: two that build the same network are one."""

    def __init__(self, config: CheckpointConfig):
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


def _shapes_in(path: Path) -> Shapes:
    """Raises Misfit where the file cannot be read."""
    stat = path.stat()
    try:
        return _shapes(path, stat.st_mtime_ns, stat.st_size)
    except Exception as error:  # a damaged file fails in as many ways as there are formats
        raise Misfit(f"its file {path.name} is damaged, or no file of weights") from error


@lru_cache(maxsize=64)
def _shapes(path: Path, _changed: int, _size: int) -> Shapes:
    from safetensors import safe_open
    from timm.models import clean_state_dict, load_state_dict

    if path.suffix == ".safetensors":
        with safe_open(path, "pt") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        return MappingProxyType(clean_state_dict(shapes))
    state = load_state_dict(str(path), device="meta", weights_only=True)
    # What is no tensor (a number of epochs) is left over too: timm refuses it.
    return MappingProxyType(
        {str(key): tuple(value.shape) if isinstance(value, Tensor) else () for key, value in state.items()}
    )
