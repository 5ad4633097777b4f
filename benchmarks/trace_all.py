"""Stats sheet of every network timm can build: who fails, and how long does one take?

python benchmarks/trace_all.py [--sample N] [--shard I/N] [--no-cache] [NAME ...]

Prints a line a network (name, seconds, operations, parameters, what went wrong), then the failures and the
median. Wrong is: an exception, a product without a cost rule, an operation without a receptive field rule,
rows that do not sum to the totals, and parameters that differ from the module's own. Seconds cover building,
tracing and everything on the sheet. --sample takes names evenly from all of timm's model files. Exit code 1
on any failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from os import environ
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import timm

from explorer.analysis import Stats, Trace, stats_of, trace
from explorer.analysis.field.propagation import unknown_operations
from explorer.networks import build


def spread_over_modules(names: Sequence[str], count: int) -> list[str]:
    """`count` names, the first of every model file before the second of any."""
    by_module: dict[str, list[str]] = {}
    for name in names:
        by_module.setdefault(timm.models.model_entrypoint(name).__module__, []).append(name)
    rounds = zip_longest(*by_module.values())
    return [name for column in rounds for name in column if name is not None][:count]


def add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", help="timm names; all of them if none is given")
    parser.add_argument("--sample", type=int, metavar="N", help="N names, evenly from all model files")
    parser.add_argument(
        "--shard", default="0/1", metavar="I/N", help="every N-th name, from the I-th (0 is first)"
    )


def selected(arguments: argparse.Namespace) -> Sequence[str]:
    """The names that the options of `add_selection` ask for."""
    names = arguments.names or timm.list_models()
    if arguments.sample:
        names = spread_over_modules(names, arguments.sample)
    first, step = map(int, arguments.shard.split("/"))
    return names[first::step]


def faults(name: str, traced: Trace, sheet: Stats) -> Iterator[str]:
    if traced.uncounted:
        yield f"no cost rule: {', '.join(traced.uncounted)}"
    if unknown := unknown_operations(traced):
        yield f"no receptive field rule: {', '.join(unknown)}"
    for what in ("params", "macs", "activations"):
        if sum(getattr(layer, what) for layer in sheet.layers) != getattr(sheet, what):
            yield f"rows do not sum to {what}"
    if sum(stage.macs for stage in sheet.stages) != sheet.macs:
        yield "stages do not sum to macs"
    own = sum(parameter.numel() for parameter in build(f"timm:{name}", device="meta").parameters())
    if own != sheet.params:
        yield f"{sheet.params} parameters counted, {own} in the module"


def measure(name: str) -> tuple[float, str]:
    """Seconds for one stats sheet, and what went wrong ("" if nothing did); prints its line."""
    begun = time.perf_counter()
    about = ""
    try:
        traced = trace(f"timm:{name}")
        sheet = stats_of(traced)
        seconds = time.perf_counter() - begun
        about = f"{len(traced.ops):6,} ops {sheet.params / 1e6:9.2f} M"
        wrong = "; ".join(faults(name, traced, sheet))
    except Exception as error:  # the sweep reports every name
        seconds = time.perf_counter() - begun
        wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    print(f"{name:<56} {seconds:7.2f} s {about} {wrong}".rstrip(), flush=True)
    return seconds, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_selection(parser)
    parser.add_argument(
        "--no-cache", action="store_true", help="trace anew instead of reading the disk cache"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as empty:
        if arguments.no_cache:
            environ["EXPLORER_CACHE"] = empty
        results = {name: measure(name) for name in selected(arguments)}
    failed = {name: wrong for name, (_, wrong) in results.items() if wrong}
    times = [seconds for seconds, _ in results.values()]
    for name, wrong in failed.items():
        print(f"FAILED {name}: {wrong}")
    print(
        f"{len(results)} networks, {len(failed)} failed; median {statistics.median(times):.2f} s, "
        f"slowest {max(times):.2f} s, {sum(times) / 60:.1f} min together"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
