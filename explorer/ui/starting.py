"""The app as a program of its own: Streamlit run on its files, wherever it is called from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence
from threading import Thread
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from explorer.home import HOME

# Browsers that can show a page as a window without tabs and address, by the names they are started with.
_WINDOWS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
_PATIENCE = 60  # seconds until the server must have answered


def app(host: str, port: int, *, window: bool, networks: Sequence[str] = ()) -> None:
    """Serve until it is stopped. window: in a window of its own, where a browser has one, else a tab.

    networks: references; the Architecture page of the first is opened.
    """
    from streamlit.web import cli

    os.chdir(HOME)  # where Streamlit looks for its configuration
    options = ["--server.address", host, "--server.port", str(port)]
    server = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    pages = [f"{server}/architecture?{urlencode({'arch': each}, safe=':')}" for each in networks]
    for each, page in zip(networks, pages, strict=True):
        print(f"{each}: {page}", flush=True)
    if window or (networks and _has_a_screen()):
        options += ["--server.headless", "true"]  # it would open the first page
        Thread(target=_show, args=(server, next(iter(pages), server), window), daemon=True).start()
    cli.main(["run", "app.py", *options], standalone_mode=False)


def _has_a_screen() -> bool:
    """As Streamlit looks for one before it opens a browser."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(server: str, page: str, window: bool) -> None:
    """Once the server answers; in the first browser that has such windows, else in the usual one."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{server}/_stcore/health", timeout=1):
                break
        except (URLError, OSError):
            time.sleep(0.1)
    else:
        return
    browser = next(filter(None, map(shutil.which, _WINDOWS)), None) if window else None
    if browser:
        silent = subprocess.DEVNULL
        subprocess.Popen([browser, f"--app={page}"], stdout=silent, stderr=silent)
    else:
        webbrowser.open(page)
