"""A running app and a Chromium to visit it with. Without a browser the tests skip, with the reason.

`serve` starts servers of one's own, fresh and cold; `server` is one that all tests of the run share. Both
listen on the loopback interface only and are stopped by their process id.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import START_SECONDS, answers, free_port

playwright = pytest.importorskip(
    "playwright.sync_api", reason="the browser tests drive Chromium by Playwright"
)

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# For what a browser waits for: cold imports on a busy machine are slow.
PATIENCE_MS = int(os.environ.get("EXPLORER_TEST_PATIENCE_MS", "120000"))


@dataclass(frozen=True)
class Server:
    """A running app: where it answers, and which process it is."""

    url: str
    process: subprocess.Popen
    port: int

    def kill(self) -> None:
        """Without a chance to say goodbye, as a machine does that runs out of memory."""
        self.process.kill()
        self.process.wait()

    def has_loaded(self, library: str) -> bool:
        """Whether the process has a file of that name mapped; seen from outside, the app has no hook."""
        maps = Path(f"/proc/{self.process.pid}/maps")
        if not maps.exists():
            pytest.skip("needs /proc to see which libraries a process has loaded")
        return library in maps.read_text()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _start(log: Path, environment: dict[str, str], port: int | None = None) -> Server:
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    server = Server(f"http://127.0.0.1:{port}", process, port)
    if answers(port, process):
        return server
    _stop(server)
    raise RuntimeError(f"the app did not answer within {START_SECONDS} s:\n{log.read_text()}")


def _stop(server: Server) -> None:
    """It would wait for open pages to say goodbye."""
    server.process.terminate()
    try:
        server.process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a fresh server: `serve()`, `serve(NAME="value")` with more in its environment, `serve(port=...)`
    in the place of one that was killed.
    """
    started: list[Server] = []

    def start(*, port: int | None = None, **environment: str) -> Server:
        started.append(_start(tmp_path / f"server{len(started)}.log", environment, port))
        return started[-1]

    yield start
    for server in started:
        _stop(server)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not need a cold one."""
    shared = _start(tmp_path_factory.mktemp("server") / "server.log", {})
    yield shared
    _stop(shared)


@pytest.fixture(scope="session")
def browser() -> Iterator["playwright.Browser"]:
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        pytest.skip(f"needs an installed browser: none of {', '.join(CHROMIUM_NAMES)} is on the path")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        playwright.expect.set_options(timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser: "playwright.Browser") -> Callable[..., "playwright.BrowserContext"]:
    """A browser with these options, the same for all tests: the app's scripts, 10 MB, are read once."""
    contexts: dict[str, playwright.BrowserContext] = {}

    def with_options(**options: object) -> "playwright.BrowserContext":
        key = repr(sorted(options.items()))
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
            contexts[key].set_default_timeout(PATIENCE_MS)
        return contexts[key]

    return with_options


@pytest.fixture
def visit(context: "Callable[..., playwright.BrowserContext]") -> Iterator[Callable[..., "playwright.Page"]]:
    """Open an address in a tab, which is a visit of its own: `visit(url, color_scheme="dark", ...)`."""
    pages = []

    def open_page(url: str, **options: object) -> "playwright.Page":
        pages.append(context(**{"viewport": {"width": 1280, "height": 720}, **options}).new_page())
        pages[-1].goto(url)
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
