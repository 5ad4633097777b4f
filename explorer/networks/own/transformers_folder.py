"""Somebody's own folder of the package transformers: a config.json with `model_type`, weights, and how a
picture is prepared. That package builds and loads it; code that comes with the folder is never run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.networks import folders
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.inputs import IMAGENET_MEAN, IMAGENET_STD, InputSpec, Interpolation
from explorer.networks.label_file import printable
from explorer.networks.own.registry import Settings
from explorer.networks.registries import UnknownNetwork

if TYPE_CHECKING:
    from torch import nn

_PREPARATION = "preprocessor_config.json"
_LARGEST_BYTES = 16 << 20
# As Pillow numbers them.
_RESAMPLING: tuple[Interpolation, ...] = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
_NAMED = 3  # tensors that a sentence names


def is_one(folder: Path) -> bool:
    """Whether its config.json is one of transformers', and none of timm's."""
    said = _table(folder / folders.CONFIG)
    return "model_type" in said and "architecture" not in said


@dataclass(frozen=True)
class OwnTransformers:
    """An `own.Own`."""

    folder: Path
    name: str
    shown: str
    settings: Settings
    weights: Path | None
    same_as: str = ""
    licence: str = "your own"
    learnt: bool = True
    remarks: tuple[str, ...] = ()

    def input_spec(self) -> InputSpec:
        """As its preprocessor_config.json says, else as the network's configuration and ImageNet's mean."""
        config, said = self._config(), _table(self.folder / _PREPARATION)
        told = said.get("crop_size") if said.get("do_center_crop", True) else None
        height, width = _sides(told) or _sides(said.get("size")) or _sides(config.image_size) or (224, 224)
        size = said.get("size")
        shorter = size.get("shortest_edge") if isinstance(size, dict) else size
        if isinstance(share := said.get("crop_pct"), float) and share > 0:  # ConvNeXt's, up to 384 pixels
            shorter = (
                math.floor(min(height, width) / share) if min(height, width) < 384 else min(height, width)
            )
        resample = said.get("resample", 2)
        return self.settings.over(
            InputSpec(
                (getattr(config, "num_channels", 3), height, width),
                resize=shorter if isinstance(shorter, int) else min(height, width),
                interpolation=_RESAMPLING[resample] if resample in range(6) else "bilinear",
                mean=tuple(said.get("image_mean") or IMAGENET_MEAN),
                std=tuple(said.get("image_std") or IMAGENET_STD),
                crop_mode="center" if told or isinstance(shorter, int) else "squash",
            )
        )

    def build(self, image_size: int | None) -> nn.Module:
        from transformers import AutoModelForImageClassification

        return _with_scores(AutoModelForImageClassification.from_config(self._config()))

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        from transformers import AutoModelForImageClassification

        model, told = AutoModelForImageClassification.from_pretrained(
            str(self.folder), local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
        wrong = sorted({str(each) for kind in ("missing_keys", "mismatched_keys") for each in told[kind]})
        if wrong:
            more = ", ..." if len(wrong) > _NAMED else ""
            raise Misfit(
                f"its file of weights does not fit its config.json: {len(wrong):,} tensors are lacking or of "
                f"another shape ({', '.join(each[:80] for each in wrong[:_NAMED])}{more})"
            )
        return _with_scores(model), self.input_spec(), self._class_names() or self._labels()

    def check(self) -> None:
        """Raises UnknownNetwork where names and outputs differ in number."""
        self._class_names()

    def _class_names(self) -> tuple[str, ...]:
        return self.settings.names_of(self.shown, self._config().num_labels)

    def _labels(self) -> tuple[str, ...]:
        named = self._config().id2label
        names = tuple(printable(named[number]) for number in sorted(named))
        return () if all(name == f"LABEL_{number}" for number, name in enumerate(names)) else names

    def _config(self) -> Any:
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(str(self.folder), local_files_only=True, trust_remote_code=False)


def opened(asked: str, settings: Settings) -> OwnTransformers:
    """Raises UnknownNetwork, also where the package is not installed or does not know the network."""
    folder = Path(asked).expanduser().resolve()
    said = _table(folder / folders.CONFIG)
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise UnknownNetwork(
            f"{folder.name} is a folder of the package transformers, which reads it: pip install "
            "transformers."
        ) from None
    if said.get("auto_map"):
        raise UnknownNetwork(
            f"{folder.name} brings code of its own (auto_map in its config.json), which is not run; open the "
            "network itself as FILE.py:NAME."
        )
    own = OwnTransformers(folder, folder.name, folder.name, settings, folders.weights_file(folder))
    if own.weights is None:
        raise UnknownNetwork(f"The folder {folder.name} holds none of {', '.join(folders.WEIGHTS)}.")
    try:
        own.check()
    except UnknownNetwork:
        raise
    except Exception as error:  # whatever that package says of a configuration
        first = str(error).strip().split("\n")[0][:200].rstrip(".")
        raise UnknownNetwork(f"{folder.name} cannot be opened by transformers: {first}.") from error
    return own


def _with_scores(model: Any) -> nn.Module:
    """The network as one that answers with a tensor, a score a class."""
    from torch import Tensor, nn

    class Scores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model
            self.num_classes = model.config.num_labels

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.network(pixel_values=x).logits
            return scores

    return Scores()


def _sides(said: Any) -> tuple[int, int] | None:
    """(height, width) as transformers writes a size in its several ways."""
    if isinstance(said, int):
        return said, said
    if isinstance(said, Mapping):
        if "height" in said and "width" in said:
            return int(said["height"]), int(said["width"])
        return _sides(said.get("shortest_edge"))
    return (int(said[0]), int(said[1])) if isinstance(said, list | tuple) and len(said) == 2 else None


def _table(path: Path) -> dict[str, Any]:
    """{} where the file is not there or no table."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_LARGEST_BYTES)) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
