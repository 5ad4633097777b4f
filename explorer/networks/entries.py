"""The values that travel from a list of weights to a loaded network, and the error when there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from torch import nn

from explorer.catalogue import Fact
from explorer.networks.inputs import InputSpec
from explorer.networks.resolving import Reference

Outputs = Literal["classes", "yes or no", "embedding"]

_LONGEST_REASON = 300  # characters


def first_sentence(error: BaseException) -> str:
    """The first line of what a library says, and after a colon the second, for the end of a sentence; its
    kind where it says nothing.
    """
    said = f"KeyError: {error}" if isinstance(error, KeyError) else str(error)  # which says the key alone
    first, second, *_ = [*filter(None, map(str.strip, said.splitlines())), "", ""]
    told = f"{first} {second}".strip() if first.endswith(":") else first
    return (told or type(error).__name__)[:_LONGEST_REASON].rstrip(".:")


class WeightsUnavailable(RuntimeError):  # noqa: N818 - it is what a reader is told
    """The weights cannot be had now; the message says why and what does work on this machine."""


@dataclass(frozen=True)
class WeightsEntry:
    """One set of trained weights, here or somewhere else.

    id: what `load` takes. reference: the network they belong to. label: for a list a reader chooses from.
    bytes: size of the file, None where nobody says before the download.
    facts: published results of these very weights.
    input: the preparation they were trained with, None until their configuration has been downloaded.
    path: the file on this machine. remarks: sentences on what its file and its configuration disagree about.
    """

    id: str
    reference: Reference
    label: str
    bytes: int | None = None
    licence: str = "not stated"
    url: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
    input: InputSpec | None = None
    path: Path | None = None
    remarks: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The id as a screen shows it: a folder by its name alone."""
        return self.id.replace(str(self.reference), self.reference.shown)

    @property
    def on_this_machine(self) -> bool:
        return self.path is not None or self.untrained or self.reference.builder == "own"

    @property
    def untrained(self) -> bool:
        return self.id.startswith("random:")


@dataclass(frozen=True)
class Network:
    """A network ready to look at a picture: on the CPU, in eval mode, parameters frozen.

    labels: class names by output index; empty where nobody named them. outputs: what the answer is: one score
    a class, one score in all, from which a sigmoid makes the probability of yes, or an embedding, which is no
    classification.
    """

    model: nn.Module
    reference: Reference
    weights: WeightsEntry
    input: InputSpec
    labels: tuple[str, ...] = field(repr=False)
    outputs: Outputs = "classes"

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.weights.remarks
