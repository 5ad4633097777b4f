"""A server on loopback that gives one file in every wrong way, and at last in the right one."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.networks.fake_hub import COMMIT

PAGE = b"<!DOCTYPE html><html><body>Please log in to this network.</body></html>\n"


class Server:
    """files: path -> content. fault: how every GET is answered, "" as it should be."""

    def __init__(self, server: ThreadingHTTPServer):
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.files: dict[str, bytes] = {}
        self.fault = ""
        self.requests: list[str] = []
        self.elsewhere = ""
        self.held = threading.Event()  # "slow start" waits for it
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    def do_HEAD(self) -> None:
        self._headers(200, {"Content-Length": len(self._content())})

    def do_GET(self) -> None:
        shared: Server = self.server.shared  # type: ignore[attr-defined]
        shared.requests.append(self.path)
        self.close_connection = True
        fault = getattr(self, "_" + shared.fault.replace(" ", "_")) if shared.fault else self._whole
        with contextlib.suppress(OSError):
            fault(self._content(), shared)

    def _content(self) -> bytes:
        return self.server.shared.files[self.path]  # type: ignore[attr-defined]

    def _headers(self, status: int, headers: dict[str, object]) -> None:
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(self._content()).hexdigest()}"')
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def _whole(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content)})
        self.wfile.write(content)

    def _slow_start(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content)})
        self.wfile.write(content[:10])
        shared.held.wait(10)
        self.wfile.write(content[10:])

    def _cut(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content)})
        self.wfile.write(content[: len(content) // 2])

    def _cut_without_length(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Connection": "close"})
        self.wfile.write(content[: len(content) // 2])

    def _cut_in_chunks(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Transfer-Encoding": "chunked"})
        half = content[: len(content) // 2]
        self.wfile.write(b"%x\r\n%b\r\n" % (len(half), half))

    def _too_short_a_length(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content) // 2})
        self.wfile.write(content)

    def _too_long_a_length(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": 10**12})
        self._for_ever(bytes(1 << 16), shared, pause=0)

    def _endless(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Connection": "close"})
        self._for_ever(bytes(1 << 16), shared, pause=0)

    def _endless_chunks(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Transfer-Encoding": "chunked"})
        self._for_ever(b"10000\r\n" + bytes(1 << 16) + b"\r\n", shared, pause=0)

    def _byte_by_byte(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content)})
        self._for_ever(b"m", shared, pause=0.02)

    def _headers_byte_by_byte(self, content: bytes, shared: Server) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._for_ever(b"m", shared, pause=0.02)

    def _silent(self, content: bytes, shared: Server) -> None:
        shared.over.wait(10)

    def _to_another_host(self, content: bytes, shared: Server) -> None:
        self._headers(302, {"Location": f"{shared.elsewhere}{self.path}", "Content-Length": 0})

    def _round_in_circles(self, content: bytes, shared: Server) -> None:
        self._headers(302, {"Location": self.path, "Content-Length": 0})

    def _to_a_file_of_this_machine(self, content: bytes, shared: Server) -> None:
        self._headers(302, {"Location": "file:///etc/hostname", "Content-Length": 0})

    def _web_page(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(PAGE)})
        self.wfile.write(PAGE)

    def _poison(self, content: bytes, shared: Server) -> None:
        self._headers(200, {"Content-Length": len(content)})
        self.wfile.write(content[:-2] + bytes([content[-2] ^ 0xFF]) + content[-1:])

    def _gone(self, content: bytes, shared: Server) -> None:
        self._headers(503, {"Content-Length": 0})

    def _for_ever(self, piece: bytes, shared: Server, pause: float) -> None:
        while not shared.over.wait(pause):
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        pass


FAULTS = tuple(
    name.removeprefix("_").replace("_", " ")
    for name in vars(_Handler)
    if name.startswith("_")
    and not name.startswith("__")
    and name not in ("_content", "_headers", "_whole", "_slow_start", "_for_ever")
)


@contextmanager
def serving() -> Iterator[Server]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    shared = Server(server)
    server.shared = shared  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield shared
    finally:
        shared.over.set()
        server.shutdown()
        server.server_close()
