"""The app as a program of its own: Streamlit run on its files, wherever it is called from."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence
from threading import Lock, Thread
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from explorer.home import HOME

# Browsers that can show a page as a window without tabs and address, by the names they are started with.
_WINDOWS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
_PATIENCE = 60  # seconds until the server must have answered
_served: list[str] = []  # the address, once a thread of this process serves it
_starting = Lock()


def app(host: str, port: int, *, window: bool, networks: Sequence[str] = ()) -> None:
    """Serve until it is stopped. window: in a window of its own, where a browser has one, else a tab.

    networks: references; the Architecture page of the first is opened.
    """
    from streamlit.web import cli

    options = ["--server.address", host, "--server.port", str(port)]
    server = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    pages = [page_of(server, each) for each in networks]
    for each, page in zip(networks, pages, strict=True):
        print(f"{each}: {page}", flush=True)
    if window or (networks and _has_a_screen()):
        options += ["--server.headless", "true"]  # it would open the first page
        Thread(target=_show, args=(server, next(iter(pages), server), window), daemon=True).start()
    # Its configuration lies beside it. The folder stays, from which one's own code may read files.
    cli.main(["run", str(HOME / "app.py"), *options], standalone_mode=False)


def beside() -> str:
    """The address of the app, served by a thread of this process that ends with it; one for all calls."""
    with _starting:
        if not _served:
            _served.append(_serve())
    return _served[0]


def _serve() -> str:
    from streamlit import config
    from streamlit.web import bootstrap
    from streamlit.web.server import Server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = str(HOME / "app.py")
    config._main_script_path = script  # beside which its configuration lies, wherever this process is
    bootstrap.load_config_options(
        {"server_address": "127.0.0.1", "server_port": port, "server_headless": True}
    )

    async def serve() -> None:  # what `bootstrap.run` does, but for the signals, which are the notebook's
        server = Server(script, is_hello=False)
        await server.start()
        await server.stopped

    Thread(target=asyncio.run, args=(serve(),), name="explorer.show", daemon=True).start()
    address = f"http://127.0.0.1:{port}"
    if not _answers(address):
        raise RuntimeError(f"the app did not start within {_PATIENCE} s at {address}")
    return address


def page_of(server: str, network: str) -> str:
    """The address of a network's Architecture page."""
    return f"{server}/architecture?{urlencode({'arch': network}, safe=':')}"


def open_in_browser(page: str) -> None:
    """In the usual browser, where there is a screen."""
    if _has_a_screen():
        webbrowser.open(page)


def _answers(server: str) -> bool:
    """Whether it does within its time."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{server}/_stcore/health", timeout=1):
                return True
        except (URLError, OSError):
            time.sleep(0.1)
    return False


def _has_a_screen() -> bool:
    """As Streamlit looks for one before it opens a browser."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(server: str, page: str, window: bool) -> None:
    """Once the server answers; in the first browser that has such windows, else in the usual one."""
    if not _answers(server):
        return
    browser = next(filter(None, map(shutil.which, _WINDOWS)), None) if window else None
    if browser:
        silent = subprocess.DEVNULL
        subprocess.Popen([browser, f"--app={page}"], stdout=silent, stderr=silent)
    else:
        webbrowser.open(page)
