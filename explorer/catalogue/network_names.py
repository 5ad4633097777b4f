"""What the names of published weights tell: the line of a network, and the pictures of its training.

"resnetrs50.tf_in1k" is an architecture of the ResNet-RS line and weights trained on ImageNet-1k alone. The
tags follow timm's naming, https://huggingface.co/docs/timm/models, "Model naming".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from explorer.catalogue.architectures import FAMILIES, architectures
from explorer.catalogue.reading import Entry, read_toml
from explorer.catalogue.sources import DATA

ONLY_IMAGENET_1K = "ImageNet-1k"
MORE_PICTURES = "ImageNet-21k or more"
DISTILLED = "distilled"
TRAINING_DATA = (ONLY_IMAGENET_1K, MORE_PICTURES, DISTILLED)

# Parts of a tag that name a larger collection of pictures, or a teacher network.
_LARGER = re.compile(
    r"in12k|in21k|in22k|jft|ig1b|yfcc100m|laion\w+|openai|clip|webli|m\d+m|seer|swag|6m|lvd\w+"
)
_TAUGHT = re.compile(r"dist|distilled|ssld|usi")


@dataclass(frozen=True)
class Line:
    """Networks that share a name and a paper. family: of the catalogue, None where it belongs to none.

    year: of the paper, None where the line has no paper of its own.
    """

    family: str | None
    year: int | None


def line(network: str) -> Line | None:
    """The line whose name `network` begins with, the longest where several do."""
    fitting = [beginning for beginning in lines() if network.startswith(beginning)]
    return lines()[max(fitting, key=len)] if fitting else None


def training_data(model: str) -> str:
    """One of TRAINING_DATA for "ARCHITECTURE.TAG". Larger collections come first: a network distilled on them
    has seen more than ImageNet-1k.
    """
    architecture, _, tag = model.lower().partition(".")
    parts = tag.split("_")
    if any(_LARGER.fullmatch(part) for part in parts):
        return MORE_PICTURES
    if "distilled" in architecture.split("_") or any(_TAUGHT.fullmatch(part) for part in parts):
        return DISTILLED
    return ONLY_IMAGENET_1K


@cache
def lines() -> Mapping[str, Line]:
    """Every line of the shipped table by the beginning of its names."""
    return read(DATA / "lines.toml")


def read(path: Path) -> Mapping[str, Line]:
    """Raises CatalogueError naming the line for an unknown family or entry, or what is no arXiv number."""
    tables = read_toml(path)
    return MappingProxyType({name: _line(Entry(path.name, name, fields)) for name, fields in tables.items()})


def _line(entry: Entry) -> Line:
    like, family, arxiv = (entry.text(field, "") for field in ("like", "family", "arxiv"))
    entry.close()
    if like:
        if like not in architectures():
            raise entry.error("like", f"{like!r} is not an entry of the catalogue")
        return Line(architectures()[like].family, architectures()[like].year)
    if family and family not in FAMILIES:
        raise entry.error("family", f"{family!r} is not one of {', '.join(FAMILIES)}")
    if arxiv and not re.fullmatch(r"\d{4}\.\d{4,5}", arxiv):
        raise entry.error("arxiv", f"{arxiv!r} is no arXiv number")
    return Line(family or None, 2000 + int(arxiv[:2]) if arxiv else None)
