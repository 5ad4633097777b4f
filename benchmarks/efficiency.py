"""How fast the efficiency chart stands in Chromium, pans, and answers a changed filter.

    python benchmarks/efficiency.py FOLDER

FOLDER holds timm's published tables. "Standing" is counted from the page being ready (its controls are there)
to the first frame with the dots in it, with an empty browser cache and at the second visit; "panning" is the
time between frames while the chart is dragged; "server" the time for narrowing, frontier and figure of one
changed filter, without a browser.
"""

import json
import os
import shutil
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from diagram_browser import CHROMIUM_NAMES, FLAGS, running_app
from playwright.sync_api import Page, sync_playwright

VISITS, DRAG_STEPS = 5, 60
FILTERS = (
    {},
    {"words": "resnet"},
    {"years": (2020, 2023)},
    {"families": frozenset({"transformer", "compact"})},
)
WATCH = """
(() => {
  const marks = window.marks = {};
  const look = () => {
    if (!marks.ready && document.querySelector('.st-key-efind')) marks.ready = performance.now();
    const dots = [...document.querySelectorAll('.stBidiComponent *')]
      .map((each) => each.shadowRoot?.querySelectorAll('.scatter .point').length).find((count) => count);
    if (dots) {
      marks.standing = performance.now();
      marks.dots = dots;
      return;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
FRAMES = """
() => { const seen = window.frames_seen = []; let last = performance.now();
  const look = () => { const now = performance.now(); seen.push(now - last); last = now;
    if (!window.frames_end) requestAnimationFrame(look); };
  requestAnimationFrame(look); }
"""


def server_times() -> list[tuple[int, float]]:
    """(dots, milliseconds) for each filter, the first one twice to leave the imports out."""
    from explorer.analysis.choosing.filters import Narrowing, narrowed
    from explorer.ui.efficiency.figures import Axes, names, scatter
    from explorer.ui.efficiency.view import points
    from explorer.ui.network import candidates

    data, axes = candidates.here(), Axes("macs", "top1", True, False, "")
    times = []
    for filters in (FILTERS[0], *FILTERS):
        began = time.perf_counter()
        shown, _ = points(data, narrowed(data.candidates, Narrowing(**filters)), axes)
        json.dumps(asdict(scatter(shown, axes, (), "", names(shown, axes), dark=False)), default=str)
        times.append((len(shown.candidates), 1000 * (time.perf_counter() - began)))
    return times[1:]


def drag(page: Page) -> list[float]:
    """Milliseconds between frames while the chart is dragged to and fro."""
    page.locator(".scatter [data-drag=pan]").click()
    box = page.locator(".scatter .place").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(DRAG_STEPS):
        page.mouse.move(x + 3 * (step % 20), y + step % 10)
    page.evaluate("() => { window.frames_end = true; }")
    page.mouse.up()
    return page.evaluate("window.frames_seen")


def main() -> None:
    os.environ["EXPLORER_TABLES"] = sys.argv[1]
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit(f"needs an installed browser: none of {', '.join(CHROMIUM_NAMES)} is on the path")
    for dots, milliseconds in server_times():
        print(f"server, {dots:5} dots {milliseconds:8.0f} ms")
    empty_cache, second_visit, frames, dots = [], [], [], 0
    with running_app() as url, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=FLAGS)
        for visit in range(VISITS + 1):
            page = chromium.new_context(viewport={"width": 1280, "height": 720}).new_page()
            page.add_init_script(WATCH)
            for times in (empty_cache, second_visit):
                page.goto(f"{url}/efficiency")
                page.wait_for_function("window.marks.standing", timeout=180_000)
                marks = page.evaluate("window.marks")
                dots = marks["dots"]
                page.wait_for_timeout(1500)
                if visit:  # the first visit starts PyTorch
                    times.append(max(0.0, marks["standing"] - marks["ready"]))
            frames += drag(page)
            page.context.close()
        chromium.close()
    for name, times in (("empty cache", empty_cache), ("second visit", second_visit)):
        print(f"standing, {dots} dots {statistics.median(times):8.0f} ms after the controls, {name}")
    print(f"panning, {dots} dots  {statistics.median(frames):8.0f} ms a frame, slowest {max(frames):.0f} ms")


if __name__ == "__main__":
    main()
