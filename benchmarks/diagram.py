"""The block diagram of every network timm can build, by stage: who fails, and how long does one take?

python benchmarks/diagram.py [--sample N] [--shard I/N] [--level stage|block|op] [NAME ...]

Prints a line a network (name, seconds, visible nodes, pixels, what went wrong), then the failures, the median
and the slowest. Seconds are those after the trace and its receptive fields, which the stats sheet needs too:
hierarchy, cut and layout. Wrong is an exception, or a broken promise of the layout, either way round
(`tests.analysis.diagram.geometry`). Traces come from the disk cache where they are in it. Exit code 1 on any
failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.trace_all import add_selection, selected
from explorer.analysis import receptive_fields, trace
from explorer.analysis.diagram.cut import LEVELS, at_level, cut
from explorer.analysis.diagram.placement import place
from explorer.analysis.structure.hierarchy import hierarchy
from tests.analysis.diagram.geometry import faults


class Result(NamedTuple):
    seconds: float
    wrong: str


def measure(name: str, level: str) -> Result:
    """Lays one network out from left to right and prints its line."""
    seconds, about = 0.0, ""
    try:
        traced = trace(name)
        fields = receptive_fields(traced)
        begun = time.perf_counter()
        boxes = hierarchy(traced, fields)
        visible = cut(boxes, at_level(boxes, level))
        scene = place(visible)
        seconds = time.perf_counter() - begun
        about = (
            f"{len(traced.ops):6,} ops {len(visible.nodes):5,} nodes {scene.width:6.0f} x {scene.height:4.0f}"
        )
        found = faults(visible, scene) + faults(visible, place(visible, "down"))
        found = [
            fault for fault in found if not fault.endswith("runs back")
        ]  # stages may exchange tensors twice
        wrong = "; ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    except Exception as error:  # the sweep reports every name
        wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    print(f"{name:<56} {seconds:7.3f} s {about} {wrong}".rstrip(), flush=True)
    return Result(seconds, wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_selection(parser)
    parser.add_argument("--level", choices=LEVELS, default="stage")
    arguments = parser.parse_args()
    results = {name: measure(name, arguments.level) for name in selected(arguments)}
    failed = {name: result.wrong for name, result in results.items() if result.wrong}
    times = {name: result.seconds for name, result in results.items()}
    for name, wrong in failed.items():
        print(f"FAILED {name}: {wrong}")
    slowest = max(times, key=lambda name: times[name])
    print(
        f"{len(results)} networks, {len(failed)} failed; hierarchy, cut, layout at {arguments.level} level: "
        f"median {statistics.median(times.values()):.3f} s, slowest {times[slowest]:.2f} s ({slowest})"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
