"""The app as a program of its own: Streamlit run on its files, wherever it is called from."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import webbrowser
from threading import Thread
from urllib.error import URLError
from urllib.request import urlopen

from explorer.home import HOME

# Browsers that can show a page as a window without tabs and address, by the names they are started with.
_WINDOWS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
_PATIENCE = 60  # seconds until the server must have answered


def app(host: str, port: int, *, window: bool) -> None:
    """Serve until it is stopped. window: in a window of its own, where a browser has one, else a tab."""
    from streamlit.web import cli

    os.chdir(HOME)  # where Streamlit looks for its configuration
    options = ["--server.address", host, "--server.port", str(port)]
    if window:
        options += ["--server.headless", "true"]
        Thread(target=_show, args=(f"http://{host}:{port}",), daemon=True).start()
    cli.main(["run", "app.py", *options], standalone_mode=False)


def _show(address: str) -> None:
    """Once the server answers, in the first browser that has such windows, else in the usual one."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=1):
                break
        except (URLError, OSError):
            time.sleep(0.1)
    else:
        return
    if browser := next(filter(None, map(shutil.which, _WINDOWS)), None):
        silent = subprocess.DEVNULL
        subprocess.Popen([browser, f"--app={address}"], stdout=silent, stderr=silent)
    else:
        webbrowser.open(address)
