"""Networks in a folder as timm writes it, config.json and a file of weights beside it: `local-dir:PATH`."""

from pathlib import Path

from torch import nn

from explorer.networks import checkpoint_file, folders
from explorer.networks.checkpoint_config import CheckpointConfig, read_config
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import DownloadFailed, Progress
from explorer.networks.inputs import InputSpec
from explorer.networks.resolving import Reference, resolve


def build(name: str, image_size: int | None = None) -> nn.Module:
    return config_in(folders.at(name)).build(image_size)


def check(name: str) -> None:
    check_in(folders.at(name))


def check_in(folder: Path) -> None:
    """Raises Misfit where its file of weights is not of the network that is configured."""
    if (path := folders.weights_file(folder)) is not None:
        checkpoint_file.check_fits(config_in(folder), path)


def input_spec(name: str) -> InputSpec:
    return config_in(folders.at(name)).input


def fingerprint(name: str) -> str:
    return config_in(folders.at(name)).fingerprint


def remarks(name: str) -> tuple[str, ...]:
    return config_in(folders.at(name)).remarks


def config_in(folder: Path) -> CheckpointConfig:
    """Its config.json, corrected by its file of weights. Raises UnknownNetwork or Misfit."""
    stated, path = read_config(folder / folders.CONFIG), folders.weights_file(folder)
    return stated if path is None else checkpoint_file.held_against(stated, path)


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),)


def entry(name: str) -> WeightsEntry:
    """Of the folder at `name`; without a file of weights in it, nothing is on this machine."""
    return entry_in(folders.at(name), resolve(f"local-dir:{name}"))


def entry_in(folder: Path, reference: Reference) -> WeightsEntry:
    """A file of weights that cannot be read or does not fit is reported when the network is asked for."""
    path = folders.weights_file(folder)
    try:
        config = config_in(folder)
    except Misfit:
        config = read_config(folder / folders.CONFIG)
    return WeightsEntry(
        id=str(reference),
        reference=reference,
        label=f"{folder.name} · this machine",
        bytes=path.stat().st_size if path else None,
        licence=config.licence,
        input=config.input,
        path=path,
        remarks=config.remarks,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    if chosen.path is None:
        raise DownloadFailed(f"its folder holds none of {', '.join(folders.WEIGHTS)}")
    return chosen.path


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    return checkpoint_file.read(read_config(path.parent / folders.CONFIG), path)
