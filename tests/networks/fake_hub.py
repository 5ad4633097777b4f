"""A stand-in for the Hugging Face hub and for a file server, on loopback, with the faults one asks for."""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

COMMIT = "a" * 40


@dataclass
class Hub:
    """files: URL path -> content. A fault changes what is sent, never the headers that announce it."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def put(self, repository: str, name: str, content: bytes) -> None:
        self.files[f"/{repository}/resolve/main/{name}"] = content

    def damage(self, fault: Callable[[bytes], bytes]) -> None:
        """Every file of weights arrives changed by `fault`."""
        self.faults = {path: fault for path in self.files if not path.endswith(".json")}


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 0xFF])


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        hub.requests.append(f"{self.command} {self.path}")
        content = hub.files.get(self.path)
        if content is None:
            repository = self.path.partition("/resolve/")[0]
            known = any(path.startswith(f"{repository}/") for path in hub.files)
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            sent = hub.faults.get(self.path, lambda whole: whole)(content)
            self.close_connection = len(sent) < len(content)
            with contextlib.suppress(ConnectionError):
                self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        pass
