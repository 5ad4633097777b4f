"""timm's config.json, which says how to build the network whose weights lie beside it. Strangers write it.

Only what timm has registered is built, only arguments that describe a network are passed on, depth, widths,
channels and picture keep within a budget, and every fault is one sentence. What the file of weights itself
says, `checkpoint_file` holds against it.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.networks.inputs import (
    CROP_MODES,
    GREY,
    INTERPOLATIONS,
    InputSpec,
    from_pretrained_cfg,
    size_argument,
)
from explorer.networks.label_file import printable
from explorer.networks.registries import UnknownNetwork, names

if TYPE_CHECKING:
    from torch import Tensor, nn

_LARGEST_BYTES = 16 << 20  # the longest label lists take a few megabytes
# Budgets of one network. timm's own stay far below: 152 blocks, 115,217 outputs, 1,024 x 1,024 pixels.
_MOST_BLOCKS = 500
_LARGEST_NUMBER = 200_000
_MOST_CHANNELS = 1_024
_LONGEST_SIDE = 2_048
_MOST_VALUES, _DEEPEST, _LONGEST_TEXT = 1_000, 8, 100
_DEPTH = re.compile(r"(^|_)(layers?|depths?|blocks?)$")
# Arguments of timm's that fetch, unpickle, wrap or place something instead of describing the network.
_REFUSED = frozenset(
    {
        *(
            "cache_dir",
            "checkpoint_path",
            "device",
            "dtype",
            "exportable",
            "feature_cfg",
            "features_only",
            "model_cfg",
            "no_jit",
        ),
        *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_model_args", "scriptable"),
    }
)
# What of a configuration is used; where it says weights are to be had is not, they are the file beside it.
_USED = frozenset(
    {
        *("input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std"),
        *("num_classes", "label_offset", "label_names", "label_descriptions", "pool_size"),
        *("first_conv", "classifier", "license"),
    }
)


@dataclass(frozen=True)
class CheckpointConfig:
    """A network of timm's, with the arguments and the preparation its weights were trained with.

    counts: place in config.json -> the number of outputs it states. remarks: sentences for the reader where
    the places, or the file of weights, say different things. stated_by: who says all this, for a sentence.
    """

    architecture: str
    model_args: Mapping[str, Any]
    pretrained_cfg: Mapping[str, Any]
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    stated_by: str = "config.json"

    @property
    def input(self) -> InputSpec:
        spec = from_pretrained_cfg(self.pretrained_cfg)
        free = self.model_args.get("dynamic_img_size") or self.model_args.get("strict_img_size") is False
        return dataclasses.replace(spec, fixed=spec.fixed and not free)

    @property
    def licence(self) -> str:
        return printable(self.pretrained_cfg.get("license") or "not stated in its config.json")

    @property
    def outputs(self) -> int:
        """Their number; 0 where the network ends in features."""
        return int(self.pretrained_cfg.get("num_classes", 1000))

    @property
    def channels(self) -> int:
        return int(self.pretrained_cfg.get("input_size", (3,))[0])

    @property
    def labels(self) -> tuple[str, ...]:
        """The configuration's own names if there is one for each output, else ImageNet's where the number of
        outputs is ImageNet's."""
        from explorer.networks.labels import of_imagenet

        given = self.pretrained_cfg.get("label_names") or ()
        if not given or len(given) != self.outputs:
            return of_imagenet(self.outputs)
        described = self.pretrained_cfg.get("label_descriptions") or {}
        return tuple(printable(described.get(str(label), label)) for label in given)

    @property
    def heads(self) -> tuple[str, ...]:
        return self._modules("classifier")

    @property
    def first_convs(self) -> tuple[str, ...]:
        return self._modules("first_conv")

    @property
    def label_offset(self) -> int:
        """Rows of the file's head before the first class."""
        return int(self.pretrained_cfg.get("label_offset", 0))

    @property
    def named_classes(self) -> int:
        return len(self.pretrained_cfg.get("label_names") or ())

    def _modules(self, role: str) -> tuple[str, ...]:
        """Those that the configuration, else timm's own for the architecture, calls by this role."""
        from timm.models import get_pretrained_cfg

        own = get_pretrained_cfg(self.architecture)
        found = self.pretrained_cfg.get(role) or getattr(own, role, None) or ()
        return (found,) if isinstance(found, str) else tuple(str(each) for each in found)

    def with_outputs(self, outputs: int, remark: str = "") -> "CheckpointConfig":
        return self._with({"num_classes": outputs}, remark)

    def with_channels(self, channels: int, remark: str = "") -> "CheckpointConfig":
        """Mean and deviation go along: of one channel they are the average of those that are stated."""
        before, spec = self.input, self.input.with_channels(channels)
        changed = {"input_size": spec.shape, "mean": spec.mean, "std": spec.std}
        if channels == 1 and len(before.mean) > 1:
            remark = f"{remark} {GREY}".strip()
        return self._with(changed, remark)

    def remarked(self, remark: str) -> "CheckpointConfig":
        return self._with({}, remark)

    @property
    def fingerprint(self) -> str:
        """Of everything that decides what is built and how it is shown."""
        said = [self.architecture, dict(self.model_args), dict(self.pretrained_cfg)]
        return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]

    def _with(self, changed: dict[str, Any], remark: str) -> "CheckpointConfig":
        return dataclasses.replace(
            self,
            pretrained_cfg={**self.pretrained_cfg, **changed},
            remarks=(*self.remarks, remark) if remark else self.remarks,
        )

    def build(
        self, image_size: int | None = None, weights: "Path | Mapping[str, Tensor] | None" = None
    ) -> "nn.Module":
        """weights: the file to load (safetensors, or a pickle of nothing but tensors) or what was in one;
        random without any."""
        import timm

        from explorer.networks.without_memory import bounded

        cfg = {**self.pretrained_cfg, "architecture": self.architecture}
        if weights is not None:
            cfg |= {"file": str(weights)} if isinstance(weights, Path) else {"state_dict": dict(weights)}
        arguments: dict[str, Any] = {**self.model_args, **size_argument(self.input, image_size)}
        with bounded():
            model: nn.Module = timm.create_model(
                self.architecture, pretrained=weights is not None, pretrained_cfg=cfg, **arguments
            )
        vars(model).get("pretrained_cfg", {}).pop("state_dict", None)  # the weights once more
        return model


def read_config(path: Path, shown: str = "") -> CheckpointConfig:
    """From a config.json; `shown` is what errors call it, the folder's name and its own if empty.

    Raises UnknownNetwork.
    """
    shown = shown or f"{path.parent.name}/{path.name}"
    try:
        if not path.is_file():  # a pipe or a device, which have no end
            raise FileNotFoundError(path)
        with path.open("rb") as file:
            said = file.read(_LARGEST_BYTES + 1)
    except OSError:
        raise UnknownNetwork(
            f"{shown} cannot be read; a network's folder holds a config.json as timm writes it."
        ) from None
    if len(said) > _LARGEST_BYTES:
        raise UnknownNetwork(f"{shown} is larger than any config.json of timm's.")
    try:
        config = json.loads(said)
    except (ValueError, RecursionError):
        raise UnknownNetwork(f"{shown} is not valid JSON.") from None
    if not isinstance(config, dict):
        raise UnknownNetwork(f"{shown} is not a table of settings.")
    return checked(config, shown)


def checked(config: dict[str, Any], shown: str, stated_by: str = "config.json") -> CheckpointConfig:
    """From the table that a config.json holds, as JSON gives it. Raises UnknownNetwork for what is beyond the
    budgets or makes no sense.
    """
    # Older files put everything into one table.
    cfg, args = config.get("pretrained_cfg", config), config.get("model_args") or {}
    if not isinstance(cfg, dict) or not isinstance(args, dict):
        raise UnknownNetwork(f"{shown}: pretrained_cfg and model_args must be tables.")
    architecture = str(config.get("architecture", "")).partition(".")[0]
    if architecture not in names()["timm"]:
        raise UnknownNetwork(f"{shown} asks for the architecture {architecture[:80]!r}, unknown to timm.")
    refused = sorted(_REFUSED & args.keys())
    if refused:
        raise UnknownNetwork(f"{shown}: model_args may not set {', '.join(refused)}.")
    _check_arguments(args, shown)
    used = {key: value for key, value in cfg.items() if key in _USED and value is not None}
    for key in ("label_names", "label_descriptions"):
        if config.get(key) is not None:
            used[key] = config[key]
    if cfg is config and config.get("labels"):
        used["label_names"] = config["labels"]
    counts = _counts(config, cfg, args)
    if counts:
        # An argument decides what timm builds, then the top of the file, then the table.
        used["num_classes"] = next(reversed(counts.values()))
    _check_values(used, counts, args, shown)
    return _resolved(CheckpointConfig(architecture, args, used, counts, stated_by=stated_by))


def _counts(config: dict[str, Any], cfg: dict[str, Any], args: dict[str, Any]) -> dict[str, int]:
    """Place -> what it states, the one that decides last."""
    stated = {
        "pretrained_cfg.num_classes": cfg.get("num_classes"),
        "num_classes": config.get("num_classes"),
        "model_args.num_classes": args.get("num_classes"),
    }
    if cfg is config:
        del stated["pretrained_cfg.num_classes"]
    return {place: count for place, count in stated.items() if count is not None}


def _resolved(config: CheckpointConfig) -> CheckpointConfig:
    """One place for each number: arguments that state outputs, channels or picture become the settings."""
    args = dict(config.model_args)
    args.pop("num_classes", None)
    channels, size = args.pop("in_chans", None), None
    if config.pretrained_cfg.get("fixed_input_size"):
        size = args.pop("img_size", None)
    found = dataclasses.replace(config, model_args=args)
    if size is not None:
        sides = (size, size) if isinstance(size, int) else tuple(size)
        found = found._with({"input_size": (found.channels, *sides)}, "")
    return found if channels in (None, found.channels) else found.with_channels(channels)


def _check_arguments(args: dict[str, Any], shown: str) -> None:
    """Bounds on every number of every argument, however deep it lies, before anything is built."""
    for name, value in args.items():
        called = f"{shown}: model_args.{name[:_LONGEST_TEXT]}"
        leaves = list(_leaves(value, called))
        if len(leaves) > _MOST_VALUES:
            raise UnknownNetwork(f"{called} has over {_MOST_VALUES:,} values.")
        numbers = [leaf for leaf in leaves if isinstance(leaf, int | float)]
        blocks = sum(numbers)
        if _DEPTH.search(name) and (blocks > _MOST_BLOCKS or min(numbers, default=0) < 0):
            raise UnknownNetwork(
                f"{called} asks for {_short(blocks)} blocks; networks of 0 to {_MOST_BLOCKS} are built."
            )
        for number in numbers:
            if not -_LARGEST_NUMBER <= number <= _LARGEST_NUMBER:  # NaN is not either
                raise UnknownNetwork(
                    f"{called} is {_short(number)}; no network here has a setting beyond {_LARGEST_NUMBER:,}."
                )
        if any(isinstance(leaf, str) and len(leaf) > _LONGEST_TEXT for leaf in leaves):
            raise UnknownNetwork(f"{called} is a text of over {_LONGEST_TEXT} characters.")


def _leaves(value: Any, called: str, depth: int = 0) -> Iterator[Any]:
    if not isinstance(value, dict | list):
        yield value
        return
    if depth == _DEEPEST:
        raise UnknownNetwork(f"{called} is nested over {_DEEPEST} deep.")
    for each in value.values() if isinstance(value, dict) else value:
        yield from _leaves(each, called, depth + 1)


def _short(number: float) -> str:
    return f"{number:,}" if abs(number) < 1e15 else "too large"


def _check_values(cfg: dict[str, Any], counts: dict[str, int], args: dict[str, Any], shown: str) -> None:
    """Only what this program computes with; what only timm reads, it complains about itself."""
    size = cfg.get("input_size", [3, 224, 224])
    channels = size[0] if isinstance(size, list) and size and type(size[0]) is int else 3
    lengths = {channels, args["in_chans"]} if type(args.get("in_chans")) is int else {channels}
    labels, described = cfg.get("label_names") or [], cfg.get("label_descriptions", {})
    built_for = args.get("img_size", 1)
    mean, std = cfg.get("mean"), cfg.get("std")
    rules: dict[str, tuple[bool, str]] = {
        "input_size": (_numbers(size, (3,), 0, int), "three whole numbers above 0"),
        "model_args.in_chans": (_numbers([args.get("in_chans", 3)], (1,), 0, int), "a whole number above 0"),
        "model_args.img_size": (
            _numbers(built_for if isinstance(built_for, list) else [built_for], (1, 2), 0, int),
            "one or two whole numbers above 0",
        ),
        "mean": (mean is None or _numbers(mean, lengths), f"{channels} numbers, one a channel"),
        "std": (std is None or _numbers(std, lengths, 0), f"{channels} numbers above 0"),
        "crop_pct": (_numbers([cfg.get("crop_pct", 1)], (1,), 0.01, below=100), "a share such as 0.875"),
        "interpolation": (cfg.get("interpolation", "bicubic") in INTERPOLATIONS, _one_of(INTERPOLATIONS)),
        "crop_mode": (cfg.get("crop_mode", "center") in CROP_MODES, _one_of(CROP_MODES)),
        "label_offset": (_numbers([cfg.get("label_offset", 0)], (1,), -1, int), "a whole number"),
        "label_names": (
            isinstance(labels, list) and all(isinstance(label, str | int) for label in labels),
            "a list of names",
        ),
        "label_descriptions": (isinstance(described, dict), "a table"),
    }
    rules |= {place: (_numbers([count], (1,), -1, int), "a whole number") for place, count in counts.items()}
    for key, (good, meaning) in rules.items():
        if not good:
            raise UnknownNetwork(f"{shown}: {key} must be {meaning}.")
    sides = [*size[1:], *(built_for if isinstance(built_for, list) else [built_for])]
    if max(size[0], args.get("in_chans", 0)) > _MOST_CHANNELS or max(sides) > _LONGEST_SIDE:
        raise UnknownNetwork(
            f"{shown} asks for a picture of {max(size[0], args.get('in_chans', 0)):,} channels and "
            f"{max(sides):,} pixels a side; up to {_MOST_CHANNELS:,} and {_LONGEST_SIDE:,} are taken."
        )


def _one_of(choices: tuple[str, ...]) -> str:
    return f"one of {', '.join(choices)}"


def _numbers(
    values: Any,
    lengths: tuple[int, ...] | set[int],
    above: float = -_LARGEST_NUMBER,
    *kinds: type,
    below: float = _LARGEST_NUMBER,
) -> bool:
    if not isinstance(values, list) or len(values) not in lengths:
        return False
    return all(type(each) in (kinds or (int, float)) and above < each <= below for each in values)
