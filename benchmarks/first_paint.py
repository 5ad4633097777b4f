"""How long a page's first picture takes in Chromium, beside a Streamlit app of one line in the same run.

    python benchmarks/first_paint.py [--visits N] [PAGE ...]

Milliseconds from navigation to the first frame that holds the picture: median of N visits that find server
and browser cache warm, the pages taken in turn so that other work on the machine meets all of them alike.
"ratio" is to the one-line app. "after the controls" counts Efficiency's dots from the moment its controls are
there. The machine's load is printed, for under load only the ratios mean something.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from diagram_browser import CHROMIUM_NAMES, FLAGS, running_app
from playwright.sync_api import BrowserContext, sync_playwright

ONE_LINE = "one-line app"
# Address; what stands when the first picture does, and when the controls do (shadow roots are entered).
PAGES = {
    "home": ("", ".timeline [data-id]", ""),
    "architecture": ("architecture?arch=resnet50", ".network .node", ""),
    "claims": ("claims", "[data-testid=stDataFrame] canvas", ""),
    "efficiency": ("efficiency", ".scatter .point", ".st-key-efind"),
}
WATCH = """
(() => {
  const marks = window.marks = {};
  const found = (selector, root) => root.querySelector(selector)
    ?? [...root.querySelectorAll('*')].some((each) => each.shadowRoot && found(selector, each.shadowRoot));
  const look = () => {
    const [picture, controls] = window.wanted ?? [];
    if (controls && !marks.controls && found(controls, document)) marks.controls = performance.now();
    if (picture && found(picture, document)) { marks.picture = performance.now(); return; }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


def visit(context: BrowserContext, address: str, picture: str, controls: str) -> tuple[float, float]:
    """Milliseconds to the picture, and of these those after the controls."""
    page = context.new_page()
    page.add_init_script(f"window.wanted = {[picture, controls]!r};{WATCH}")
    page.goto(address)
    page.wait_for_function("window.marks.picture", timeout=180_000)
    marks = page.evaluate("window.marks")
    page.wait_for_timeout(1000)  # what the page fetches ahead comes into the cache
    page.close()
    return marks["picture"], marks["picture"] - marks.get("controls", marks["picture"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", default=list(PAGES), help=", ".join(PAGES))
    parser.add_argument("--visits", type=int, default=5)
    asked = parser.parse_args()
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit(f"needs an installed browser: none of {', '.join(CHROMIUM_NAMES)} is on the path")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one_line.py").write_text("import streamlit as st\n\nst.title('One line')\n")
        with running_app(str(Path(folder) / "one_line.py")) as plain, running_app() as url:
            cases = {ONE_LINE: (plain, "h1", "")}
            cases |= {name: (f"{url}/{PAGES[name][0]}", *PAGES[name][1:]) for name in asked.pages}
            with sync_playwright() as driver:
                # With a folder of its own, as a visitor's browser has one: compiled scripts are kept in it.
                context = driver.chromium.launch_persistent_context(
                    Path(folder) / "browser",
                    executable_path=executable,
                    args=FLAGS,
                    viewport={"width": 1280, "height": 720},
                )
                for case in cases.values():
                    visit(context, *case)  # starts PyTorch, fills the caches
                turns = [
                    {name: visit(context, *case) for name, case in cases.items()} for _ in range(asked.visits)
                ]
                context.close()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'page':16}{'ms':>8}{'ratio':>8}{'after the controls':>20}")
    middle = {name: statistics.median(turn[name][0] for turn in turns) for name in cases}
    for name, case in cases.items():
        after = f"{statistics.median(turn[name][1] for turn in turns):20.0f}" if case[2] else ""
        print(f"{name:16}{middle[name]:8.0f}{middle[name] / middle[ONE_LINE]:8.2f}{after}", flush=True)


if __name__ == "__main__":
    main()
