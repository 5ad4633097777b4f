"""From what a visitor typed to a Reference: which builder is meant, and under which name. Needs no torch."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from explorer import catalogue
from explorer.networks import folders
from explorer.networks.checkpoint_config import read_config
from explorer.networks.own import registry
from explorer.networks.registries import UnknownNetwork, names, unknown
from explorer.networks.zoo import ZOO

Builder = Literal["explorer", "timm", "torchvision", "zoo", "hf-hub", "local-dir", "folder", "own"]
PREFIXES: tuple[str, ...] = get_args(Builder)

_LONGEST_NAME = 300
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
# The order in which a bare name is looked up after the catalogue.
_OWNERS: Mapping[str, str] = MappingProxyType(
    {"timm": "timm's", "torchvision": "torchvision's", "explorer": "this project's", "zoo": "the zoo's"}
)


@dataclass(frozen=True)
class Reference:
    """One network and who builds it; `str()` gives "timm:resnet50", which resolves to the same network again.

    architecture: id of the catalogue's entry that it is a build of, if any.
    reason: why this builder, in words a reader can be shown.
    """

    builder: Builder
    name: str
    architecture: str | None = None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.builder}:{self.name}"

    @property
    def title(self) -> str:
        """What a page is called; a folder by its name alone, wherever on the disk it lies."""
        return Path(self.name).name if self.builder == "local-dir" else self.name

    @property
    def shown(self) -> str:
        """As `str()`, but for the path of a folder, which is nobody's business on a projector."""
        return f"{self.builder}:{self.title}"


def resolve(name: str) -> Reference:
    """The network meant by `name`.

    "BUILDER:NAME" says it outright. A bare name takes the catalogue's choice, then timm's, then
    torchvision's, then the networks written here and the zoo. timm's names may carry a weights tag
    ("resnet50.a1_in1k").
    Raises UnknownNetwork with near matches, or with what is wrong with a folder.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise UnknownNetwork(f"A network's name has 1 to {_LONGEST_NAME} characters; try 'resnet50'.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise UnknownNetwork(f"A network's name holds no control characters, as {name[:80]!r} does.")
    prefix, colon, rest = name.partition(":")
    if not colon:
        return _bare(name)
    prefix = "hf-hub" if prefix == "hf_hub" else prefix
    if prefix not in PREFIXES:
        raise UnknownNetwork(f"{prefix!r} builds no networks; before the colon stands {_one_of(PREFIXES)}.")
    rest = rest.strip()
    reason = f"yours, {registry.get(rest).own.shown}" if prefix == "own" else "asked for by name"
    return _named(prefix, rest, reason)


def _bare(name: str) -> Reference:
    known = catalogue.architectures()
    if name in known:
        return _choice(known[name])
    for builder, owner in _OWNERS.items():
        if _without_tag(builder, name) in names()[builder]:
            return _named(
                builder, name, f"{owner} network of that name; the catalogue has no entry called so"
            )
    shown = _references_by_shown_name().get(name.casefold())
    if shown is not None:
        builder, _, name_there = shown.partition(":")
        return _named(builder, name_there, f"what the catalogue calls {name}")
    raise unknown(name, [*known, *(each for listed in names().values() for each in listed)])


def _choice(entry: catalogue.Architecture) -> Reference:
    if not entry.builders:
        raise UnknownNetwork(f"{entry.name} ({entry.year}) is no network, so there is nothing to build.")
    builder, _, name = entry.builders[0].partition(":")
    return Reference(cast(Builder, builder), name, entry.id, f"the catalogue's choice for {entry.name}")


def _named(builder: str, name: str, reason: str) -> Reference:
    same_as = _CHECKS[builder](name)
    return Reference(cast(Builder, builder), name, _entries_by_reference().get(same_as), reason)


@cache
def _entries_by_reference() -> Mapping[str, str]:
    """Reference -> id of the catalogue's entry; an entry's own builders win over another entry's variants."""
    known = tuple(catalogue.architectures().values())
    entries = {build: entry.id for entry in known for build in entry.variants.values()}
    # Backwards, so that the earliest entry keeps a build that later ones use with other weights.
    entries |= {build: entry.id for entry in reversed(known) for build in entry.builders}
    return MappingProxyType(entries)


@cache
def _references_by_shown_name() -> Mapping[str, str]:
    """Name as readers see it, in lower case -> reference: "resnet-18" -> "torchvision:resnet18"."""
    known = catalogue.architectures().values()
    shown = {text.casefold(): build for entry in known for text, build in entry.variants.items()}
    shown |= {entry.name.casefold(): entry.builders[0] for entry in known if entry.builders}
    return MappingProxyType(shown)


# Each check raises UnknownNetwork or returns the reference under which the catalogue would list the network.


def _check_listed(builder: str) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in names()[builder]:
            raise unknown(name, names()[builder], builder)
        return f"{builder}:{name}"

    return check


def _check_timm(name: str) -> str:
    architecture, _, tag = name.partition(".")
    if architecture not in names()["timm"]:
        raise unknown(architecture, names()["timm"], "timm")
    if tag:
        from timm.models import list_pretrained  # torch: only a typed tag pays for it

        tagged = list_pretrained(f"{architecture}.*")
        if name not in tagged:
            choices = f"try {_one_of(tagged)}" if tagged else "timm has none for it"
            raise UnknownNetwork(f"timm's {architecture} has no weights called {tag[:80]!r}; {choices}.")
    return f"timm:{architecture}"


def _check_zoo(name: str) -> str:
    if name not in ZOO:
        raise unknown(name, ZOO, "zoo")
    # A zoo network is a trained build of the function written here, and of no larger network it resembles.
    return f"explorer:{ZOO[name].builder}"


def _check_hub(name: str) -> str:
    if not _HUB_ID.fullmatch(name) or ".." in name or "--" in name:
        raise UnknownNetwork(f"{name!r} is no Hugging Face id; write hf-hub:ORGANISATION/NAME.")
    owner, _, rest = name.partition("/")
    # timm's own repositories are called after the network and the tag.
    return f"timm:{_without_tag('timm', rest)}" if owner == "timm" else f"hf-hub:{name}"


def _check_path(name: str) -> str:
    return _check_folder(folders.at(name))


def _check_shared(name: str) -> str:
    return _check_folder(folders.shared(name))


def _check_own(name: str) -> str:
    return registry.get(name).own.same_as or f"own:{name}"


def _check_folder(folder: Path) -> str:
    return f"timm:{read_config(folder / folders.CONFIG).architecture}"


_CHECKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "explorer": _check_listed("explorer"),
        "timm": _check_timm,
        "torchvision": _check_listed("torchvision"),
        "zoo": _check_zoo,
        "hf-hub": _check_hub,
        "local-dir": _check_path,
        "folder": _check_shared,
        "own": _check_own,
    }
)


def _without_tag(builder: str, name: str) -> str:
    return name.partition(".")[0] if builder == "timm" else name


def _one_of(choices: list[str] | tuple[str, ...]) -> str:
    return f"one of {', '.join(choices[:8])}{' ...' if len(choices) > 8 else ''}"
