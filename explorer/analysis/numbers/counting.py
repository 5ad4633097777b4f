"""Count every network of the published tables at its image sizes: how `catalogue/data/counts.csv` is made.

python -m explorer count results-imagenet.csv --out FILE

Rows that FILE already holds are kept, so that a broken run goes on where it stopped. Networks that the
installed timm cannot build are named and left out: they stay missing.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.analysis.graph.operations import Trace
from explorer.analysis.numbers.memory import peak_activation_bytes, saved_activation_bytes
from explorer.analysis.structure.stages import handed_on, stages
from explorer.catalogue import counts, published_tables
from explorer.catalogue.writing import write_whole
from explorer.networks import names

# What needs torch is imported inside the functions: Ctrl-C during those seconds is one line, too.
if TYPE_CHECKING:
    from explorer.networks.entries import WeightsEntry

_COLUMNS = ("network", "img_size", *counts.FIELDS, *counts.DEPLOYED.values())


def counted_with() -> str:
    libraries = ("timm", "torchvision", "torch")
    return "counted with " + ", ".join(f"{name} {version(name).partition('+')[0]}" for name in libraries)


def torchvision_entries() -> tuple[WeightsEntry, ...]:
    """The weights that the installed torchvision describes."""
    from explorer.networks import from_torchvision

    return tuple(entry for name in names()["torchvision"] for entry in from_torchvision.entries(name))


def row(network: str, image_size: int) -> dict[str, str | int]:
    """One line of the table. Raises ValueError where the network cannot be built or take this size."""
    from explorer.analysis.graph.tracing import deployed_form, forget, trace

    traced = trace(network, image_size)
    deployed = deployed_form(traced, network, image_size)
    forget()  # a thousand traces are not wanted again
    other = of_form(deployed) if deployed is not None else {}
    return {
        "network": network,
        "img_size": image_size,
        **of_trace(traced),
        **{column: other.get(name, "") for name, column in counts.DEPLOYED.items()},
    }


def of_form(traced: Trace) -> Mapping[str, int]:
    """The fields that each form of a network has."""
    return {
        **{name: getattr(traced, name) for name in counts.COSTS},
        counts.BUFFERS: traced.buffer_bytes,
        counts.AT_INFERENCE: peak_activation_bytes(traced),
    }


def of_trace(traced: Trace) -> Mapping[str, int]:
    """The fields of the form that is trained."""
    maps = pyramid(traced)
    return {
        **of_form(traced),
        counts.IN_TRAINING: saved_activation_bytes(traced),
        **{name: maps.get(stride, 0) for stride, name in counts.CHANNELS.items()},
    }


def pyramid(traced: Trace) -> Mapping[int, int]:
    """Stride -> channels of the last stage there, as a detector or a segmentation head takes them.

    The stride is the power of two nearest to image over grid, as 224 / 56 = 4 and 299 / 35 = 8. The head is
    no stage, and neither is what has no grid. Of 160 of timm's networks the strides agree with its own
    `feature_info` for 152, the channels for 131: it hands out maps from inside a stage where these are wider.
    """
    image, ops = traced.input_shape[-2], traced.by_id()
    found: dict[int, int] = {}
    for stage in stages(traced):
        if stage.name != "head" and stage.resolution != (1, 1):
            found[2 ** round(log2(image / stage.resolution[0]))] = handed_on(
                stage, [ops[each] for each in stage.ops]
            )
    return found


def wanted(text: str | bytes) -> list[tuple[str, int]]:
    """Network and size of every row of timm's accuracy table and of torchvision's weights, each pair once."""
    table = published_tables.read(text, published_tables.TABLES[published_tables.ACCURACY])
    of_timm = {(f"timm:{key.architecture}", key.image_size) for key in table.rows}
    of_torchvision = {
        (str(entry.reference), entry.input.image_size) for entry in torchvision_entries() if entry.input
    }
    return sorted(of_timm | of_torchvision)


def _kept(file: Path) -> dict[tuple[str, int], dict[str, str | int]]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            table = counts.read(lines)
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{file} is no table of counts ({error!r}); name another file or remove it"
        ) from error
    if table.counted_with != counted_with():
        return {}
    return {
        key: {
            "network": key[0],
            "img_size": key[1],
            **values,
            **{column: table.deployed.get(key, {}).get(name, "") for name, column in counts.DEPLOYED.items()},
        }
        for key, values in table.of.items()
    }


def write(keys: Sequence[tuple[str, int]], file: Path) -> None:
    """Fill the table up to `keys`; saved after every row, in the order of the names."""
    kept = _kept(file)
    for place, (network, image_size) in enumerate(keys, start=1):
        if (network, image_size) in kept:
            continue
        try:
            kept[network, image_size] = row(network, image_size)
        except ValueError as error:
            print(f"{network} at {image_size}: {error}", file=sys.stderr)
        _save(kept, file)
        if place % 50 == 0:
            print(f"{place} of {len(keys)}", flush=True)


def _save(rows: Mapping[tuple[str, int], dict[str, str | int]], file: Path) -> None:
    out = io.StringIO()
    out.write(f"# {counted_with()}\n")
    lines = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows[key] for key in sorted(rows))
    write_whole(file, out.getvalue().encode())
