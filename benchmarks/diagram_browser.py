"""How fast the block diagram stands in Chromium, and how fast a click is answered.

    python benchmarks/diagram_browser.py

Starts the app, visits it with an installed Chromium and prints a table. "Standing" is counted from the
moment the page is ready (its headline numbers are there) to the first frame with all nodes in it; "answered"
from the click on a node to the first frame with that node's panel. The network is traced beforehand: a
trace is made once and kept.
"""

import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CASES = (  # what is drawn, link
    ("ResNet-50, blocks", "arch=resnet50"),
    ("DenseNet-121, all operations", "arch=densenet121&level=op"),
)
VISITS, CLICKS = 5, 20

# Runs before the page's own scripts: notes when the headline numbers stand and when the nodes do.
WATCH = """
(() => {
  const marks = window.marks = {};
  const holds = (each) => each.shadowRoot?.querySelector('.network');
  const inside = () => [...document.querySelectorAll('*')].find(holds)?.shadowRoot;
  window.diagram = inside;
  const look = () => {
    const headline = document.querySelector('[data-testid="stMetricValue"]');
    if (!marks.ready && headline) marks.ready = performance.now();
    const nodes = inside()?.querySelectorAll('.node').length ?? 0;
    if (nodes && !marks.standing) { marks.standing = performance.now(); marks.nodes = nodes; return; }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
CLICK = """
(id) => new Promise((done) => {
  const card = window.diagram().querySelector(`[data-id="${CSS.escape(id)}"] .card`);
  const began = performance.now();
  card.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
  const look = () => {
    if (document.querySelector('.node-panel')?.dataset.node === id) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})
"""


@contextmanager
def running_app(script: str = "app.py"):
    """The address of the app, or of another script, served while the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    try:
        while process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def stand(page: Page, address: str) -> tuple[int, float]:
    """(nodes, milliseconds from the page being ready)."""
    page.goto(address)
    page.wait_for_function("window.marks.standing", timeout=180_000)
    marks = page.evaluate("window.marks")
    return marks["nodes"], max(0.0, marks["standing"] - marks["ready"])


def answers(page: Page) -> list[float]:
    """Milliseconds from click to panel, for nodes spread over the drawing."""
    ids = page.evaluate("[...window.diagram().querySelectorAll('.node')].map((each) => each.dataset.id)")
    step = max(1, len(ids) // CLICKS)
    chosen = [ids[(n * step) % len(ids)] for n in range(CLICKS + 1)]
    times = []
    for identifier in chosen:
        page.wait_for_timeout(400)  # the answer to the click before has come to rest
        times.append(page.evaluate(CLICK, identifier))
    return times[1:]  # the first loads what every panel needs


def main() -> None:
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit(f"needs an installed browser: none of {', '.join(CHROMIUM_NAMES)} is on the path")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(
        f"{'drawing':32}{'nodes':>7}{'standing ms':>14}{'click ms, fastest':>19}{'median':>9}{'slowest':>10}"
    )
    with running_app() as url, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=FLAGS)
        for name, link in CASES:
            address = f"{url}/architecture?{link}"
            standing = []
            for visit in range(VISITS + 1):
                page = chromium.new_context(viewport={"width": 1280, "height": 720}).new_page()
                page.add_init_script(WATCH)
                nodes, milliseconds = stand(page, address)
                standing += [milliseconds] if visit else []
                if visit < VISITS:
                    page.context.close()
            times = answers(page)
            page.context.close()
            print(
                f"{name:32}{nodes:7}{statistics.median(standing):14.0f}"
                f"{min(times):19.0f}{statistics.median(times):9.0f}{max(times):10.0f}",
                flush=True,
            )
        chromium.close()


if __name__ == "__main__":
    main()
