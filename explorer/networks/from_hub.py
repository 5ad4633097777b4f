"""Networks in timm's format in any repository of the Hugging Face hub: `hf-hub:ORGANISATION/NAME`."""

from pathlib import Path

from torch import nn

from explorer.networks.checkpoint_config import CheckpointConfig, read_config
from explorer.networks.downloading import Progress, cached_from_hub, download_from_hub
from explorer.networks.entries import WeightsEntry
from explorer.networks.from_timm import HUB_FILES
from explorer.networks.inputs import InputSpec
from explorer.networks.resolving import resolve


def build(name: str, image_size: int | None = None) -> nn.Module:
    return config_of(name).build(image_size)


def input_spec(name: str) -> InputSpec:
    return config_of(name).input


def config_of(name: str, progress: Progress | None = None) -> CheckpointConfig:
    """Downloads config.json if it is not here. Raises DownloadFailed or UnknownNetwork."""
    return read_config(download_from_hub(name, ("config.json",), progress), f"{name}'s config.json")


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),)


def entry(name: str) -> WeightsEntry:
    """What is known without asking the network: all of it once the repository has been downloaded."""
    here = cached_from_hub(name, ("config.json",))
    config = read_config(here, f"{name}'s config.json") if here else None
    path = cached_from_hub(name, HUB_FILES) if here else None
    return WeightsEntry(
        id=f"hf-hub:{name}",
        reference=resolve(f"hf-hub:{name}"),
        label=name,
        bytes=path.stat().st_size if path else None,
        licence=config.licence if config else "stated on its page",
        url=f"https://huggingface.co/{name.partition('@')[0]}",
        input=config.input if config else None,
        path=path,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    name = chosen.reference.name
    config_of(name)
    return download_from_hub(name, HUB_FILES, progress)


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    config = config_of(chosen.reference.name)
    return config.build(weights=path), config.input, config.labels
