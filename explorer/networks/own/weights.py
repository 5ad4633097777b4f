"""Somebody's own weights of a network that timm or torchvision knows: a file that a training left, or a
folder with timm's config.json.

Which network they are of is said by --architecture, by the file itself (timm's and torchvision's scripts,
PyTorch's example, Lightning's arguments) or by the config.json beside it; how many classes and channels it
has, by the tensors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.networks import checkpoint_config, checkpoint_file, folders
from explorer.networks.checkpoint_contents import Contents, Misfit, contents
from explorer.networks.entries import first_sentence
from explorer.networks.inputs import InputSpec
from explorer.networks.own import transformers_folder
from explorer.networks.own.registry import Own, Settings
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import resolve
from explorer.networks.torchvision_config import TorchvisionConfig

if TYPE_CHECKING:
    from torch import nn

# What scripts call a file of weights, whoever's they are: then its folder says more.
_SAYS_NOTHING = re.compile(
    r"(best|checkpoint|epoch|last|latest|model|model_best|pytorch_model|state_dict|weights)([-_=]?\d+)?"
)
# Of timm's training arguments, those that say how a picture is prepared.
_PREPARATION = ("interpolation", "mean", "std", "crop_pct", "crop_mode")


@dataclass(frozen=True)
class OwnWeights:
    """An `own.Own`. stated: the network before the file was asked how many classes and channels it has.

    The file is looked at anew each time: a training may go on while its network is looked at.
    """

    weights: Path
    shown: str
    name: str
    stated: checkpoint_file.Configuration
    settings: Settings
    same_as: str
    licence: str = "your own"
    learnt: bool = True

    @property
    def remarks(self) -> tuple[str, ...]:
        return (*_of_choice(contents(self.weights)), *self._held().remarks)

    def input_spec(self) -> InputSpec:
        return self.settings.over(self._held().input)

    def build(self, image_size: int | None) -> nn.Module:
        return self._held().build(image_size)

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        model, spec, labels = checkpoint_file.read(self.stated, self.weights)
        return model, self.settings.over(spec), self._class_names() or labels

    def _held(self) -> checkpoint_file.Configuration:
        return checkpoint_file.held_against(self.stated, self.weights)

    def check(self) -> None:
        """Raises Misfit where the file does not fit the network, UnknownNetwork where labels or input do not
        fit the file.
        """
        held = self._held()
        checkpoint_file.check_fits(held, self.weights)
        self._class_names()
        self.input_spec()
        stated = self.settings.input
        if stated is not None and stated[0] != held.channels:
            raise UnknownNetwork(
                f"{self.shown} takes {held.channels} channel{'s' * (held.channels > 1)}, and --input says "
                f"{stated[0]}; the file decides."
            )

    def _class_names(self) -> tuple[str, ...]:
        return self.settings.names_of(self.shown, self._held().outputs)


def opened(asked: str, settings: Settings) -> Own:
    """What a file of weights holds, or a folder with a config.json; no code in it is run.

    Raises UnknownNetwork with what would help.
    """
    path = Path(asked).expanduser()
    if path.is_dir() and transformers_folder.is_one(path):
        return transformers_folder.opened(asked, settings)
    file = folders.weights_file(path) if path.is_dir() else path
    if file is None:
        raise UnknownNetwork(f"The folder {path.name} holds none of {', '.join(folders.WEIGHTS)}.")
    shown = path.name
    try:
        found = contents(file)
    except Misfit as misfit:
        raise UnknownNetwork(f"{shown} cannot be opened: {misfit}.") from misfit
    stated, same_as = _configured(path, file, found, settings)
    name = Path(file.name.removesuffix(".tar")).stem
    if file is not path or _SAYS_NOTHING.fullmatch(name.lower()):
        name = file.absolute().parent.name
    own = OwnWeights(file, shown, name, stated, settings, same_as)
    try:
        own.check()
    except Misfit as misfit:
        raise UnknownNetwork(
            f"{shown} cannot be opened: {misfit}; if it is of another network that timm or torchvision has, "
            "name that with --architecture, and if of your own, open FILE.py:NAME with --weights."
        ) from misfit
    return own


def _configured(
    path: Path, file: Path, found: Contents, settings: Settings
) -> tuple[checkpoint_file.Configuration, str]:
    """What is said of the network, and the reference of the one that it is a build of."""
    beside = file.parent / folders.CONFIG
    if not settings.architecture and not found.architecture and beside.is_file():
        read = checkpoint_config.read_config(beside)
        return read, f"timm:{read.architecture}"
    asked = settings.architecture or found.architecture
    if not asked:
        lightning = (
            " of Lightning's, whose arguments do not say it" if found.written_by == "Lightning" else ""
        )
        raise UnknownNetwork(
            f"{path.name} is a file of weights{lightning}: say of which network, --architecture timm:NAME or "
            "torchvision:NAME; if it is your own, open FILE.py:NAME with --weights."
        )
    reference = resolve(asked)
    said = found.settings if found.written_by == "timm" and reference.builder == "timm" else {}
    if reference.builder == "timm":
        return _of_timm(reference.name, said, path.name, settings), f"timm:{reference.name.partition('.')[0]}"
    if reference.builder != "torchvision":
        raise UnknownNetwork(
            f"{path.name} is a file of weights, and {asked[:80]!r} is no network of timm's or torchvision's; "
            "of your own, open FILE.py:NAME with --weights."
        )
    if settings.arguments:
        raise UnknownNetwork(f"--arguments are for timm's networks and your own code, not for {reference}.")
    size = max(settings.input[1:]) if settings.input else None
    return TorchvisionConfig(reference.name, image_size=size), str(reference)


def _of_timm(
    name: str, said: Mapping[str, Any], shown: str, settings: Settings
) -> checkpoint_config.CheckpointConfig:
    """As timm has it, with what its training script was told. said: that script's arguments."""
    try:
        config = json.loads(json.dumps(_config(name, said, settings), default=str))
    except (TypeError, ValueError, RecursionError) as error:  # a list for a table, a key that is no text
        raise UnknownNetwork(f"{shown}'s arguments make no sense: {first_sentence(error)}.") from error
    return checkpoint_config.checked(config, f"{shown}'s arguments", "its list of arguments")


def _config(name: str, said: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """As a config.json would hold it."""
    from timm.models import get_pretrained_cfg

    own = get_pretrained_cfg(name)
    cfg = own.to_dict() if own else {}
    # They are about the file that timm publishes.
    for published in ("num_classes", "label_offset", "license"):
        cfg.pop(published, None)
    cfg |= {key: said[key] for key in _PREPARATION if said.get(key)}
    channels, *sides = said.get("input_size") or cfg.get("input_size") or (3, 224, 224)
    if side := said.get("img_size"):
        sides = [side, side]
    cfg["input_size"] = [channels, *sides]
    if settings.input:
        cfg["input_size"][1:] = settings.input[1:]
    arguments = {**(said.get("model_kwargs") or {}), **settings.arguments}
    if said.get("in_chans"):
        arguments["in_chans"] = said["in_chans"]
    if pooling := said.get("gp"):
        arguments["global_pool"] = pooling
    config = {"architecture": name, "pretrained_cfg": cfg, "model_args": arguments}
    if count := said.get("num_classes"):
        config["num_classes"] = count
    return config


def _of_choice(found: Contents) -> tuple[str, ...]:
    """A sentence where the file holds the same network twice."""
    if not found.averaged:
        return ()
    return ("Of its weights those are shown that were averaged over the training.",)
