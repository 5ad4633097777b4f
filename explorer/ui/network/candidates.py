"""What the efficiency page shows: candidates as columns of numbers, with what this machine measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

import numpy as np
import streamlit as st

from explorer.analysis.choosing.candidates import MEASURES, Candidate, Measure, candidates
from explorer.catalogue import published_files
from explorer.catalogue.published_files import PublishedResults
from explorer.serving.measurements import Measurement, Setting, kept

_HERE = "measured on this machine in float32, all on the device measured last"
MEASURED = MappingProxyType(
    {
        "latency here": Measure("Latency here, batch of 1", "ms", "less", True, _HERE, "trained"),
        "throughput here": Measure("Throughput here, best batch", "images/s", "more", True, _HERE, "trained"),
        "memory here": Measure("Peak memory here, batch of 1", "bytes", "less", True, _HERE),
    }
)
ALL_MEASURES: Mapping[str, Measure] = MappingProxyType({**MEASURES, **MEASURED})


@dataclass(frozen=True)
class Data:
    """remarks: on what the files lack. read_on: day timm's tables were fetched, or taken over into the
    shipped one. rows: how many of them. measured_on: machine, device and threads of what was
    measured here; "" where nothing was.
    """

    candidates: tuple[Candidate, ...]
    remarks: tuple[str, ...]
    read_on: date | None
    rows: int
    measured_on: str = ""
    shipped: bool = False

    def column(self, measure: str, places: Sequence[int]) -> np.ndarray:
        """float [n], NaN where a value is missing."""
        values = [self.candidates[place].value(measure) for place in places]
        return np.array([np.nan if value is None else value for value in values])

    def measures(self) -> tuple[str, ...]:
        """Names of the measures that any candidate has, in the order of the list."""
        known = set().union(*(each.values for each in self.candidates))
        return tuple(name for name in ALL_MEASURES if name in known)


def here() -> Data:
    """From the tables on this machine."""
    return with_measured(_from_files(published_files.state()), kept())


def uploaded(texts: Mapping[str, bytes]) -> Data:
    """From files that a visitor gave, for this visit alone: nothing of them is kept."""
    return with_measured(_data(published_files.from_texts(texts)), kept())


@st.cache_resource(max_entries=2, show_spinner="Reading the published tables ...")
def _from_files(state: tuple[object, ...]) -> Data:
    """state: only tells one content of the files from another."""
    return _data(published_files.here())


def _data(found: PublishedResults) -> Data:
    return Data(candidates(found.rows), found.remarks, found.read_on, len(found.rows), shipped=found.shipped)


def with_measured(data: Data, measurements: Iterable[Measurement]) -> Data:
    """The same, with what plain float32 runs say of each network at each size, all on the device, machine and
    number of threads that were measured last: a latency of one is not set beside a throughput of another.
    """
    plain = [each for each in measurements if each.setting == Setting(each.device)]
    if not plain:
        return data
    last = max(plain, key=lambda each: each.measured_on)
    found: dict[tuple[str, int], dict[str, float]] = {}
    for each in sorted(plain, key=lambda each: each.measured_on):
        if each.place != last.place:
            continue
        values = found.setdefault((each.network, each.image_size), {})
        values["throughput here"] = max(each.throughput, values.get("throughput here", 0.0))
        if each.batch_size == 1:
            values["latency here"] = each.latency_ms
            if each.peak_memory_bytes is not None:
                values["memory here"] = each.peak_memory_bytes
    candidates = tuple(_measured(each, found) for each in data.candidates)
    return replace(data, candidates=candidates, measured_on=last.where)


def _measured(each: Candidate, found: Mapping[tuple[str, int], Mapping[str, float]]) -> Candidate:
    of_weights = found.get((each.weights, each.image_size))  # measured under timm's name with its tag
    values = of_weights or found.get((each.reference, each.image_size))
    return replace(each, values=MappingProxyType({**each.values, **values})) if values else each


def fetch_newer() -> str:
    """Fetches today's tables; why not, as a sentence, else ""."""
    from explorer.networks.fetching import DownloadFailed
    from explorer.networks.published_fetch import fetch

    try:
        fetch()
    except (DownloadFailed, OSError) as error:
        return str(error)
    return ""
