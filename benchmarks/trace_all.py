"""Stats sheet of every network that timm and torchvision can build: who fails, who disagrees, how long?

python benchmarks/trace_all.py [--sample N] [--shard I/N] [--against N] [NAME ...]

Prints a line a network (name, CPU seconds, operations, parameters, what went wrong), then the failures, the
median and the slowest 5 %. Seconds are the CPU's, of building and tracing. Wrong is: an exception, a product
without a cost rule, an operation without a receptive field rule, rows that do not sum to the totals,
parameters that differ from the module's own, and counts that differ from the shipped ones (catalogue/data/
counts.csv, counted through torch.export). --sample takes names evenly from all model files. --against traces
N of them, evenly, also by torch.export and, where it is installed, by torchlens: whole traces and receptive
fields must be equal, and how many times as long they take is printed. Exit code 1 on any failure.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import timm
import torch

from benchmarks import exported
from explorer.analysis import Stats, Trace, receptive_fields, stats_of, trace_module
from explorer.analysis.field.propagation import unknown_operations
from explorer.analysis.numbers.counting import of_trace
from explorer.catalogue import counts
from explorer.networks import build, input_spec, names


def spread_over_modules(networks: Sequence[str], count: int) -> list[str]:
    """`count` names, the first of every model file before the second of any."""
    by_module: dict[str, list[str]] = {}
    for network in networks:
        library, _, name = network.partition(":")
        module = timm.models.model_entrypoint(name).__module__ if library == "timm" else library
        by_module.setdefault(module, []).append(network)
    rounds = zip_longest(*by_module.values())
    return [network for column in rounds for network in column if network is not None][:count]


def add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", help="networks such as timm:resnet50; all of them if none is given"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="N names, evenly from all model files")
    parser.add_argument(
        "--shard", default="0/1", metavar="I/N", help="every N-th name, from the I-th (0 is first)"
    )


def selected(arguments: argparse.Namespace) -> Sequence[str]:
    """The networks that the options of `add_selection` ask for."""
    known = [f"{library}:{name}" for library in ("timm", "torchvision") for name in names()[library]]
    networks = arguments.names or known
    if arguments.sample:
        networks = spread_over_modules(networks, arguments.sample)
    first, step = map(int, arguments.shard.split("/"))
    return networks[first::step]


def faults(network: str, traced: Trace, sheet: Stats, own_params: int) -> Iterator[str]:
    if traced.uncounted:
        yield f"no cost rule: {', '.join(traced.uncounted)}"
    if unknown := unknown_operations(traced):
        yield f"no receptive field rule: {', '.join(unknown)}"
    for what in counts.COSTS:
        if sum(getattr(layer, what) for layer in sheet.layers) != getattr(sheet, what):
            yield f"rows do not sum to {what}"
    if sum(stage.macs for stage in sheet.stages) != sheet.macs:
        yield "stages do not sum to macs"
    if own_params != sheet.params:
        yield f"{sheet.params} parameters counted, {own_params} in the module"
    shipped = counts.counts().of.get((network, traced.input_shape[-1]), {})
    for what, value in of_trace(traced).items() if shipped else ():
        if shipped[what] != value:
            yield f"{what} {value}, shipped {shipped[what]}"


def traced_here(network: str) -> tuple[Trace, int, float]:
    """The trace, the parameters of the module, and the CPU seconds of building and tracing it."""
    shape = (1, *input_spec(network).shape)
    begun = time.process_time()
    model = build(network, device="meta")
    own_params = sum(parameter.numel() for parameter in model.parameters())
    traced = trace_module(model, shape, network, disposable=True)
    return traced, own_params, time.process_time() - begun


def measure(network: str) -> tuple[float, str]:
    """CPU seconds for one trace, and what went wrong ("" if nothing did); prints its line."""
    seconds, about = 0.0, ""
    try:
        traced, own_params, seconds = traced_here(network)
        about = f"{len(traced.ops):6,} ops {traced.params / 1e6:9.2f} M"
        wrong = "; ".join(faults(network, traced, stats_of(traced), own_params))
    except Exception as error:  # the sweep reports every name
        wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    print(f"{network:<60} {seconds:7.3f} s {about} {wrong}".rstrip(), flush=True)
    return seconds, wrong


def by_export(network: str) -> tuple[Trace, float]:
    """The oracle's trace, and the CPU seconds of building and exporting the network."""
    shape = (1, *input_spec(network).shape)
    begun = time.process_time()
    exported.export(build(network, device="meta"), torch.empty(shape, device="meta"))
    seconds = time.process_time() - begun
    return exported.trace_module(build(network, device="meta"), shape, network), seconds


def by_torchlens(network: str) -> float | None:
    """CPU seconds of torchlens, which runs the network with its weights; None where it is not installed."""
    try:
        import torchlens
    except ImportError:
        return None
    image = torch.zeros(1, *input_spec(network).shape)
    shapes_only = torchlens.options.CaptureOptions(layers_to_save="none")
    begun = time.process_time()
    torchlens.trace(build(network), image, capture=shapes_only)
    return time.process_time() - begun


def against_peers(seconds_here: Mapping[str, float]) -> bool:
    """Print how the same networks fare by other means; whether any trace differs.

    seconds_here: of the first trace of each; a second one knows the shapes already.
    """
    ratios: dict[str, list[float]] = {"torch.export": [], "torchlens": []}
    differing = []
    for network, seconds in seconds_here.items():
        traced, _, _ = traced_here(network)
        oracle, of_export = by_export(network)
        same = exported.plain(traced) == exported.plain(oracle)
        if not same or receptive_fields(traced) != receptive_fields(oracle):
            differing.append(network)
        ratios["torch.export"].append(of_export / seconds)
        of_torchlens = by_torchlens(network)
        if of_torchlens is not None:
            ratios["torchlens"].append(of_torchlens / seconds)
        last = (f"{peer} {found[-1]:.1f} times" for peer, found in ratios.items() if found)
        print(f"{network:<60} {seconds:7.3f} s, {', '.join(last)}", flush=True)
    print(f"{len(seconds_here)} also by torch.export; different: {', '.join(differing) or 'none'}")
    for peer, found in ratios.items():
        if found:
            print(f"{peer} takes {statistics.median(found):.1f} times as long in the median of {len(found)}")
    return bool(differing)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_selection(parser)
    parser.add_argument("--against", type=int, metavar="N", default=0, help="N also by other means")
    arguments = parser.parse_args()
    networks = selected(arguments)
    traced_here("timm:test_resnet")  # what torch loads at its first use is no network's time
    gc.freeze()  # as the server does after its imports
    results = {network: measure(network) for network in networks}
    failed = {network: wrong for network, (_, wrong) in results.items() if wrong}
    for network, wrong in failed.items():
        print(f"FAILED {network}: {wrong}")
    times = sorted(seconds for seconds, _ in results.values())
    print(
        f"{len(results)} networks, {len(failed)} failed; median {statistics.median(times):.3f} s, "
        f"95 % under {times[int(0.95 * (len(times) - 1))]:.3f} s, slowest {times[-1]:.3f} s, "
        f"{sum(times) / 60:.1f} min together"
    )
    chosen = spread_over_modules(sorted(set(networks) - set(failed)), arguments.against)
    differs = against_peers({network: results[network][0] for network in chosen}) if chosen else False
    gc.unfreeze()
    return bool(failed or differs)


if __name__ == "__main__":
    sys.exit(main())
