"""Where a test's own server may listen, and whether it answers."""

import socket
import subprocess
import time
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

START_SECONDS = 60


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, process: subprocess.Popen[Any]) -> bool:
    """Whether the app that this process is to serve answers there, within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
                return bool(answer.read() == b"ok")
        except (URLError, OSError):
            time.sleep(0.05)
    return False
