"""Networks this project trained: weights and card lie in assets/zoo and need no network."""

from pathlib import Path

from torch import nn

from explorer.networks.downloading import Progress
from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec
from explorer.networks.resolving import names


def all_entries() -> tuple[WeightsEntry, ...]:
    return tuple(entry(name) for name in names()["zoo"])
