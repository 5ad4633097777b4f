"""From what a visitor typed to a Reference: which builder is meant, and under which name.

Nothing here imports torch: the names that timm and torchvision can build are read from the decorators in their
installed source, which gives exactly their own `list_models()` in a tenth of a second instead of six.
"""

import difflib
import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from explorer import catalogue
from explorer.networks.written_here import WRITTEN_HERE

Builder = Literal["explorer", "timm", "torchvision", "zoo", "hf-hub", "local-dir"]
PREFIXES: tuple[str, ...] = get_args(Builder)

ZOO_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "zoo"

_LONGEST_NAME = 300
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_REGISTERED = re.compile(r"^@register_model(?:\(\))?\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


class UnknownNetwork(ValueError):
    """No builder knows the name; the message ends with the nearest names that do exist."""


@dataclass(frozen=True)
class Reference:
    """One network and who builds it; `str()` gives "timm:resnet50", which resolves to the same network again.

    architecture: id of the catalogue's entry it is a build of, if any.
    reason: why this builder, in words a reader can be shown.
    """

    builder: Builder
    name: str
    architecture: str | None = None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.builder}:{self.name}"


def resolve(name: str) -> Reference:
    """The network meant by `name`.

    "BUILDER:NAME" says it outright. A bare name takes the catalogue's choice, then timm's, then torchvision's, then
    the networks written here and the zoo. timm names may carry a weights tag ("resnet50.a1_in1k").
    Raises UnknownNetwork with near matches, or with what is wrong with a folder.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise UnknownNetwork(
            f"A network's name has 1 to {_LONGEST_NAME} characters; try 'resnet50' or 'timm:convnext_tiny'."
        )
    prefix, colon, rest = name.partition(":")
    prefix = {"hf_hub": "hf-hub"}.get(prefix, prefix)
    if not colon:
        return _bare(name)
    if prefix not in PREFIXES:
        raise UnknownNetwork(
            f"{prefix!r} builds no networks; write one of {', '.join(PREFIXES)} before the colon."
        )
    _CHECKS[prefix](rest.strip())
    return _reference(prefix, rest.strip(), "asked for by name")


@cache
def names() -> Mapping[str, tuple[str, ...]]:
    """Builder -> every name it can build, without importing any of them."""
    return MappingProxyType(
        {
            "explorer": tuple(WRITTEN_HERE),
            "timm": _registered("timm"),
            "torchvision": _registered("torchvision"),
            "zoo": tuple(sorted(path.stem for path in ZOO_FOLDER.glob("*.json"))),
        }
    )


def _registered(package: str) -> tuple[str, ...]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ()
    models = Path(spec.submodule_search_locations[0]) / "models"
    # Only the folder itself: torchvision keeps detection, segmentation and video models in folders below it.
    sources = (path.read_text(encoding="utf-8") for path in models.glob("*.py"))
    return tuple(sorted(name for source in sources for name in _REGISTERED.findall(source)))


def _bare(name: str) -> Reference:
    entry = catalogue.architectures().get(name)
    if entry is not None:
        if not entry.builders:
            raise UnknownNetwork(
                f"{entry.name} ({entry.year}) is not a network, so there is nothing to build."
            )
        return _reference_of(entry.builders[0], entry.id, f"the catalogue's choice for {entry.name}")
    for builder, owner in _OWNERS.items():
        if _architecture_part(builder, name) in names()[builder]:
            _CHECKS[builder](name)
            return _reference(builder, name, f"not in the catalogue; {owner} network of that name")
    displayed = _display_names().get(name.casefold())
    if displayed is not None:
        return _reference_of(displayed, None, f"the catalogue's choice for {name}")
    raise _unknown(
        name, [*catalogue.architectures(), *(each for known in names().values() for each in known)]
    )


def _reference_of(text: str, architecture: str | None, reason: str) -> Reference:
    builder, _, name = text.partition(":")
    return Reference(cast(Builder, builder), name, architecture or _entries_by_build().get(text), reason)


def _reference(builder: str, name: str, reason: str) -> Reference:
    entry = _entries_by_build().get(f"{builder}:{_architecture_part(builder, name)}")
    return Reference(cast(Builder, builder), name, entry, reason)


def _architecture_part(builder: str, name: str) -> str:
    """What the catalogue knows a network by: timm's name without its tag, a folder's by the config inside."""
    if builder == "local-dir":
        return ""
    return name.partition(".")[0] if builder == "timm" else name


@cache
def _entries_by_build() -> Mapping[str, str]:
    """Reference -> id of the catalogue's entry; an entry's own builders win over another entry's variants."""
    known = catalogue.architectures()
    variants = {build: entry.id for entry in known.values() for build in entry.variants.values()}
    # Written last to first, so that the earliest entry with a build keeps it (the recipe-only entries come later).
    own = {build: entry.id for entry in reversed(known.values()) for build in reversed(entry.builders)}
    return MappingProxyType(variants | own)


@cache
def _display_names() -> Mapping[str, str]:
    """Name as a reader sees it, in lower case -> reference: "resnet-18" -> "torchvision:resnet18"."""
    shown: dict[str, str] = {}
    for entry in catalogue.architectures().values():
        for text, build in entry.variants.items():
            shown.setdefault(text.casefold(), build)
        if entry.builders:
            shown[entry.name.casefold()] = entry.builders[0]
    return MappingProxyType(shown)


def _unknown(name: str, known: list[str], builder: str = "") -> UnknownNetwork:
    near = difflib.get_close_matches(name[:80].lower(), list(dict.fromkeys(known)), n=5, cutoff=0.6)
    prefix = f"{builder}:" if builder else ""
    hint = (
        f"near matches: {', '.join(prefix + each for each in near)}" if near else "nothing has a name like it"
    )
    return UnknownNetwork(f"No network is called {prefix + name!r}; {hint}.")


def _check_listed(builder: str) -> Callable[[str], None]:
    def check(name: str) -> None:
        if name not in names()[builder]:
            raise _unknown(name, list(names()[builder]), builder)

    return check


def _check_timm(name: str) -> None:
    architecture, _, tag = name.partition(".")
    if architecture not in names()["timm"]:
        raise _unknown(architecture, list(names()["timm"]), "timm")
    if tag:
        from timm.models import list_pretrained  # torch: only a typed tag pays for it

        tagged = list_pretrained(f"{architecture}.*")
        if name not in tagged:
            choices = f"try one of {', '.join(tagged)}" if tagged else "timm has no weights for it"
            raise UnknownNetwork(f"timm's {architecture} has no weights called {tag!r}; {choices}.")


def _check_hub(name: str) -> None:
    if not _HUB_ID.fullmatch(name) or ".." in name or "--" in name:
        raise UnknownNetwork(f"{name!r} is no Hugging Face id; write hf-hub:ORGANISATION/NAME.")


def _check_folder(name: str) -> None:
    config = Path(name).expanduser() / "config.json"
    try:
        found = json.loads(config.read_text(encoding="utf-8"))["architecture"]
    except OSError:
        raise UnknownNetwork(f"{name!r} is no folder with a config.json, as timm writes one.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnknownNetwork(f"{config} does not name an architecture, as timm's config.json does.") from None
    if not isinstance(found, str) or found.partition(".")[0] not in names()["timm"]:
        raise UnknownNetwork(
            f"{config} asks for the architecture {str(found)[:80]!r}, which timm does not have."
        )


_CHECKS: Mapping[str, Callable[[str], None]] = MappingProxyType(
    {
        "explorer": _check_listed("explorer"),
        "timm": _check_timm,
        "torchvision": _check_listed("torchvision"),
        "zoo": _check_listed("zoo"),
        "hf-hub": _check_hub,
        "local-dir": _check_folder,
    }
)

# In the order in which a bare name is looked up after the catalogue.
_OWNERS: Mapping[str, str] = MappingProxyType(
    {"timm": "timm's", "torchvision": "torchvision's", "explorer": "this project's", "zoo": "the zoo's"}
)
