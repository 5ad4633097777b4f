"""Networks in timm's format in any repository of the Hugging Face hub: `hf-hub:ORGANISATION/NAME`."""

from contextlib import suppress
from pathlib import Path

from torch import nn

from explorer.networks import checkpoint_file
from explorer.networks.checkpoint_config import CheckpointConfig, read_config
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.downloading import CONFIG, cached_from_hub, download_from_hub, forget
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import Progress
from explorer.networks.from_timm import HUB_FILES
from explorer.networks.inputs import InputSpec
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import resolve


def build(name: str, image_size: int | None = None) -> nn.Module:
    return config_of(name).build(image_size)


def check(name: str) -> None:
    """Raises Misfit where weights are here and are not those of the network configured."""
    if (path := _file(name)) is not None:
        checkpoint_file.check_fits(config_of(name), path)


def input_spec(name: str) -> InputSpec:
    return config_of(name).input


def fingerprint(name: str) -> str:
    """Of what is here; "" before its config.json is."""
    here = cached_from_hub(name, ("config.json",))
    return config_of(name).fingerprint if here else ""


def remarks(name: str) -> tuple[str, ...]:
    return config_of(name).remarks


def config_of(name: str, progress: Progress | None = None) -> CheckpointConfig:
    """Downloads config.json if it is not here, and holds it against the weights if they are.

    Raises DownloadFailed, UnknownNetwork or Misfit.
    """
    stated = _stated(name, download_from_hub(name, ("config.json",), progress, CONFIG))
    path = _file(name)
    return stated if path is None else checkpoint_file.held_against(stated, path)


def _stated(name: str, here: Path) -> CheckpointConfig:
    """What its config.json says. One that is none is not kept: its publisher may have mended it since."""
    try:
        return read_config(here, f"{name}'s config.json")
    except UnknownNetwork:
        forget(here)
        raise


def _file(name: str) -> Path | None:
    return cached_from_hub(name, HUB_FILES)


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),)


def entry(name: str) -> WeightsEntry:
    """What is known without asking the network: all of it once the repository has been downloaded."""
    here = cached_from_hub(name, ("config.json",))
    config = _stated(name, here) if here else None
    path = _file(name) if here else None
    if config is not None and path is not None:
        with suppress(Misfit):  # reported when the network is asked for
            config = checkpoint_file.held_against(config, path)
    return WeightsEntry(
        id=f"hf-hub:{name}",
        reference=resolve(f"hf-hub:{name}"),
        label=name,
        bytes=path.stat().st_size if path else None,
        licence=config.licence if config else "stated on its page",
        url=f"https://huggingface.co/{name.partition('@')[0]}",
        input=config.input if config else None,
        path=path,
        remarks=config.remarks if config else (),
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    name = chosen.reference.name
    download_from_hub(name, ("config.json",), progress)
    return download_from_hub(name, HUB_FILES, progress)


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    name = chosen.reference.name
    config = _stated(name, download_from_hub(name, ("config.json",)))
    return checkpoint_file.read(config, path)
