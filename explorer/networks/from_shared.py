"""Folders of networks that the host laid out below EXPLORER_WEIGHTS for every visitor: `folder:NAME`.

Named without their path, which nobody but the host need know.
"""

from torch import nn

from explorer.networks import folders, from_folder
from explorer.networks.checkpoint_config import read_config
from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import resolve

fetch, read = from_folder.fetch, from_folder.read


def build(name: str, image_size: int | None = None) -> nn.Module:
    return from_folder.config_in(folders.shared(name)).build(image_size)


def check(name: str) -> None:
    from_folder.check_in(folders.shared(name))


def input_spec(name: str) -> InputSpec:
    return from_folder.config_in(folders.shared(name)).input


def fingerprint(name: str) -> str:
    return from_folder.config_in(folders.shared(name)).fingerprint


def remarks(name: str) -> tuple[str, ...]:
    return from_folder.config_in(folders.shared(name)).remarks


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),)


def entry(name: str) -> WeightsEntry:
    return from_folder.entry_in(folders.shared(name), resolve(f"folder:{name}"))


def listed(architectures: tuple[str, ...]) -> tuple[WeightsEntry, ...]:
    """Those that hold weights of one of these timm architectures."""
    return tuple(
        each
        for each in all_entries()
        if read_config(folders.shared(each.reference.name) / folders.CONFIG).architecture in architectures
    )


def all_entries() -> tuple[WeightsEntry, ...]:
    """Every folder that holds a network and its weights."""
    found = []
    for name in folders.shared_names():
        try:
            found.append(entry(name))
        except UnknownNetwork:
            continue  # a broken folder is reported when it is asked for, not each time another network is
    return tuple(each for each in found if each.path is not None)
