"""How long the server takes to answer a slider of the Normalisation page.

    python benchmarks/normalisation.py [--rounds 20] [--limit-ms 100]

Measured by Streamlit's own AppTest: one run of app.py and the page's script, from the slider's new value to
the last element handed out, figures built and serialised. Not in it: the line to the browser and the drawing
there. Each round moves every slider by one step and also runs the page with its views taken out (frame, menu
and Reset button only), so that a busy moment hits all of them; the ratio is to that. "cpu" is the
process's own time, which on a machine with other work to do says more than the wall clock.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from types import MappingProxyType

import streamlit
from streamlit.testing.v1 import AppTest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer.serving import warmup
from explorer.ui.normalisation import numbers

APP = Path(__file__).resolve().parents[1] / "app.py"
NETWORK = "zoo:resnet20"
# What is opened, which slider moves, the two values it moves between.
SLIDERS = (
    ("Axes, random numbers", {"nview": "Axes"}, "slider", "nchan", (2, 5)),
    (
        "Axes, a layer",
        {"nview": "Axes", "ntensor": "layer2.0.bn1", "weights": NETWORK},
        "slider",
        "nchan",
        (2, 5),
    ),
    ("Four numbers, gamma", {"nview": "One batch"}, "slider", "gamma", (0.5, 1.5)),
    (
        "Histogram of 32,768, gamma",
        {"nview": "One batch", "nsource": "Normal"},
        "slider",
        "gamma",
        (0.5, 1.5),
    ),
    (
        "Histogram of 114,688, gamma",
        {"nview": "One batch", "nsource": "A layer", "weights": NETWORK},
        "slider",
        "gamma",
        (0.5, 1.5),
    ),
    ("Histogram of 32,768, beta", {"nview": "One batch", "nsource": "Normal"}, "slider", "beta", (0.5, 1.5)),
    ("Statistics, momentum", {"nview": "Statistics"}, "slider", "momentum", (0.2, 0.4)),
    ("Statistics, batch size", {"nview": "Statistics"}, "select_slider", "nbatch", (8, 32)),
    (
        "Statistics of a layer, momentum",
        {"nview": "Statistics", "npopulation": "A layer", "weights": NETWORK},
        "slider",
        "momentum",
        (0.2, 0.4),
    ),
    ("In a network, channel", {"nview": "In a network", "weights": NETWORK}, "slider", "nmap", (2, 5)),
)


def opened(parameters: dict[str, str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=300)
    app.run()
    app.switch_page("pages/normalisation.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    if app.exception:
        raise SystemExit(f"the page failed: {app.exception[0].value}")
    return app


def mover(app: AppTest, kind: str, key: str, values: tuple) -> Callable[[], None]:
    """Each call moves the slider to its other place and waits for the answer."""
    places = cycle(values)

    def move() -> None:
        getattr(app, kind)(key=key).set_value(next(places)).run()

    return move


def empty_page() -> Callable[[], None]:
    """The same page with views that show nothing."""
    app = opened({"nview": "Axes"})
    shown = numbers.axes

    def move() -> None:
        numbers.axes = lambda here: None
        try:
            app.run()
        finally:
            numbers.axes = shown

    return move


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit-ms", type=float, default=100.0)
    arguments = parser.parse_args()
    warmup.start().join()
    works = MappingProxyType(
        {
            "the page without a view": empty_page(),
            **{name: mover(opened(link), kind, key, values) for name, link, kind, key, values in SLIDERS},
        }
    )
    times: dict[str, list[float]] = {name: [] for name in works}
    busy: dict[str, list[float]] = {name: [] for name in works}
    for round_number in range(arguments.rounds + 2):
        for name, work in works.items():
            started, worked = time.perf_counter(), time.process_time()
            work()
            if round_number >= 2:  # the first two warm what Plotly and Streamlit load late
                times[name].append(1000 * (time.perf_counter() - started))
                busy[name].append(1000 * (time.process_time() - worked))
    empty = statistics.median(times["the page without a view"])
    print(f"streamlit {streamlit.__version__}, {arguments.rounds} rounds, server time of one run, ms\n")
    print(f"{'slider':34s} {'median':>8s} {'90 %':>8s} {'ratio':>7s} {'cpu':>8s}")
    slowest = 0.0
    for name, found in times.items():
        median, late = statistics.median(found), sorted(found)[int(0.9 * (len(found) - 1))]
        slowest = max(slowest, median)
        cpu = statistics.median(busy[name])
        print(f"{name:34s} {median:8.1f} {late:8.1f} {median / empty:6.1f} x {cpu:7.1f}")
    met = slowest < arguments.limit_ms
    print(f"\nmedian of every slider under {arguments.limit_ms:.0f} ms: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
