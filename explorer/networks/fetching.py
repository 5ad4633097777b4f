"""One way to fetch: a request with bounds, and one download for all who wait for it.

`Bounds` say how much may come, how long it may take and how slow it may be; they hold for headers and body
alike, so that no server keeps a visitor. A redirect is followed on the host that was asked, and beyond it
only to hosts that are named beforehand, by https. A download goes on when the visitor who asked has left:
the next one finds it done.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Generic, TypeVar
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from huggingface_hub import constants

from explorer.catalogue.writing import WriteError, replacing

T = TypeVar("T")
# Called with the bytes that have arrived and the bytes in all, None where the server does not say.
Progress = Callable[[int, int | None], None]

# A server that is there answers within this; one that is not must not keep a visitor waiting.
TIMEOUT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 18
_HEAD_BYTES = 64
_MOST_REDIRECTS = 5
_MOST_UNANNOUNCED = 2**30  # bytes of a file of which nobody says the length
_SHOWN_EVERY_SECONDS = 0.1
_REFUSALS = dict.fromkeys((401, 403, 404), "its server does not give it out")
# Whose large files lie on other hosts of the same owner, at an address that is signed for a few minutes.
_ALSO: Mapping[str, tuple[str, ...]] = {"github.com": (".githubusercontent.com",)}


class DownloadFailed(RuntimeError):  # noqa: N818 - it is what a reader is told
    """The file did not arrive; the message is the reason in a few words."""


@dataclass(frozen=True)
class Bounds:
    """largest: bytes of one file. seconds: for all of it. Within stall_seconds come stall_bytes or more."""

    largest: int
    seconds: float
    stall_seconds: float = 20.0
    stall_bytes: int = 1 << 16


@dataclass
class Clock:
    """Bounds in time, from the moment it is made; everything that is read is told to it."""

    bounds: Bounds
    began: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)
    arrived: int = 0

    def start(self) -> None:
        """A connection begins, which may be slow anew."""
        self.since, self.arrived = time.monotonic(), 0

    def check(self, count: int = 0) -> None:
        """After `count` bytes more. Raises DownloadFailed."""
        now, bounds = time.monotonic(), self.bounds
        self.arrived += count
        if now - self.began > bounds.seconds:
            raise DownloadFailed(
                f"it was not here after {_seconds(bounds.seconds)}, and the download was ended"
            )
        if now - self.since > bounds.stall_seconds:
            if self.arrived < bounds.stall_bytes:
                within = _seconds(bounds.stall_seconds)
                raise DownloadFailed(f"its server sends too slowly: {self.arrived:,} bytes within {within}")
            self.since, self.arrived = now, 0


@dataclass(frozen=True)
class Expected:
    """What is known of a file before it comes.

    length: bytes. digest: how its sha256 begins, or, of 40 digits, the sha1 by which git names it.
    fault: from the first bytes, why it cannot be such a file, else "".
    """

    length: int | None = None
    digest: str = ""
    fault: Callable[[bytes], str] = lambda head: ""


class Refused(DownloadFailed):
    """The server answered, and not with the file. headers: of its answer."""

    def __init__(self, status: int, headers: Mapping[str, str]):
        self.status, self.headers = status, headers
        super().__init__(_REFUSALS.get(status, f"the server answered {status}"))


def fetch(
    url: str,
    target: Path,
    clock: Clock,
    expected: Expected,
    report: Progress,
    headers: Mapping[str, str] = MappingProxyType({}),
    also: tuple[str, ...] = (),
) -> None:
    """Makes `target` what the URL gives. Raises DownloadFailed, and leaves what was there.

    also: ends of names of hosts that the URL's may send to, beside itself.
    """
    try:
        with send("GET", url, clock, headers, also) as response, replacing(target) as file:
            _receive(response, file, clock, expected, report)
    except WriteError as error:
        raise DownloadFailed(f"{error.path.name} cannot be written: {error.reason}") from error


def send(
    method: str,
    url: str,
    clock: Clock,
    headers: Mapping[str, str] = MappingProxyType({}),
    also: tuple[str, ...] = (),
    *,
    to_the_first_host_only: bool = False,
) -> Any:
    """The response, a context manager, after redirects on the same host and to the hosts in `also`.

    to_the_first_host_only: a permitted redirect to another host is handed back instead of followed.
    Raises DownloadFailed.
    """
    here, also = url, also + _ALSO.get(urlsplit(url).hostname or "", ())
    for _ in range(_MOST_REDIRECTS + 1):
        response = _answer(Request(here, headers=dict(headers), method=method), clock)
        location = response.headers.get("Location")
        if response.status // 100 != 3 or not location:
            return response
        there = urljoin(here, location)
        if not _may_lead(here, there, also):
            response.close()
            place = "/".join(there.split("/")[:3])[:80]
            raise DownloadFailed(f"its server sends to another host ({place}), which is not followed")
        if _origin(there) != _origin(here):
            if to_the_first_host_only:
                return response
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        response.close()
        here = there
    raise DownloadFailed("its server sends round in circles")


def refuse_offline() -> None:
    """Raises DownloadFailed where the environment forbids all downloads, whatever their server."""
    if constants.HF_HUB_OFFLINE:
        raise DownloadFailed("HF_HUB_OFFLINE forbids downloads")


def matches(file: BinaryIO, digest: str, length: int) -> bool:
    """Whether the file, of `length` bytes, has this digest, which is as in `Expected`."""
    found = _hash(digest, length)
    while chunk := file.read(_CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest().startswith(digest)


def _receive(response: Any, file: BinaryIO, clock: Clock, expected: Expected, report: Progress) -> None:
    announced = None if response.chunked else response.length
    total = expected.length if announced is None else announced
    known = _MOST_UNANNOUNCED if total is None else expected.length
    largest = clock.bounds.largest if known is None else min(clock.bounds.largest, known)
    if announced is not None and expected.length not in (None, announced):
        raise DownloadFailed(f"its server gives {announced:,} bytes, and the file has {expected.length:,}")
    if total is not None and total > largest:
        raise DownloadFailed(f"it has {total:,} bytes, and {largest:,} are the most that is fetched")
    if total is None and not response.chunked and not expected.digest:
        raise DownloadFailed("its server does not say where the file ends")
    digest, done, head = _hash(expected.digest, total or 0), 0, b""
    report(0, total)
    while chunk := _next(response, done, total):
        done += len(chunk)
        if done > largest:
            raise DownloadFailed(f"its server sends more than {largest:,} bytes")
        file.write(chunk)
        digest.update(chunk)
        if len(head) < _HEAD_BYTES:
            head += chunk[:_HEAD_BYTES]
            if fault := expected.fault(head):
                raise DownloadFailed(fault)
        report(done, total)
    if total is not None and done != total:
        raise DownloadFailed(_broken(done, total))
    if not digest.hexdigest().startswith(expected.digest):
        raise DownloadFailed("what arrived is damaged: its checksum is not the published one")


def _next(response: Any, done: int, total: int | None) -> bytes:
    try:
        return bytes(response.read1(_CHUNK_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadFailed(_broken(done, total)) from error


def _broken(done: int, total: int | None) -> str:
    return f"the connection broke after {done:,}{'' if total is None else f' of {total:,}'} bytes"


def _hash(digest: str, length: int) -> hashlib._Hash:
    # git names a file by the sha1 of its kind and length, then its content.
    return hashlib.sha1(b"blob %d\0" % length) if len(digest) == 40 else hashlib.sha256()


def _answer(request: Request, clock: Clock) -> Any:
    """One request's response, redirects as they come. Raises DownloadFailed."""
    clock.start()
    opener = build_opener(_Unredirected, _Http(clock), _Https(clock))
    try:
        return opener.open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.status is not None and error.status // 100 == 3:
            return error
        error.close()
        raise Refused(error.code, dict(error.headers)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadFailed("its server cannot be reached from this machine") from error


class _Unredirected(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Left to `send`: urllib would read the whole body of the redirect, however long."""


class _Http(HTTPHandler):
    def __init__(self, clock: Clock):
        super().__init__()
        self._clock = clock

    def http_open(self, request: Request) -> Any:
        return self.do_open(partial(_connection, http.client.HTTPConnection, self._clock), request)


class _Https(HTTPSHandler):
    def __init__(self, clock: Clock):
        super().__init__()
        self._clock = clock

    def https_open(self, request: Request) -> Any:
        return self.do_open(partial(_connection, http.client.HTTPSConnection, self._clock), request)


def _connection(kind: Any, clock: Clock, host: str, **options: Any) -> Any:
    connection = kind(host, **options)
    connection.response_class = partial(_Response, clock)
    return connection


class _Response(http.client.HTTPResponse):
    """Headers and body pass the clock, so that neither can come for ever."""

    def __init__(self, clock: Clock, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), clock), 1 << 16)


class _Timed(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, clock: Clock):
        self._raw, self._clock = raw, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._clock.check()
        count = self._raw.readinto(buffer)
        self._clock.check(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; of no scheme where the address is none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _may_lead(here: str, there: str, also: tuple[str, ...]) -> bool:
    """Within a host, also up to https; to another only to one in `also`, and only by https."""
    (from_scheme, from_host, from_port), (scheme, host, port) = _origin(here), _origin(there)
    if scheme == "https" and host.endswith(also):
        return True
    upgraded = (from_scheme, from_port, scheme, port) == ("http", 80, "https", 443)
    return host == from_host and (upgraded or (from_scheme, from_port) == (scheme, port))


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


class _Job(Generic[T]):
    """Work in a thread of its own, whose end any number wait for."""

    def __init__(self, key: str, work: Callable[[Progress], T]):
        self.over = threading.Event()
        self.shown: tuple[int, int | None] | None = None
        self.outcome: T
        self.error: Exception | None = None
        # A daemon: the end of the process waits for no server.
        threading.Thread(target=self._run, args=(key, work), daemon=True, name=f"fetch {key}").start()

    def _run(self, key: str, work: Callable[[Progress], T]) -> None:
        try:
            self.outcome = work(self._report)
        except Exception as error:
            self.error = error
        finally:
            with _books:
                del _jobs[key]
            self.over.set()

    def _report(self, done: int, total: int | None) -> None:
        self.shown = (done, total)


_jobs: dict[str, _Job[Any]] = {}
_books = threading.Lock()


def together(key: str, work: Callable[[Progress], T], progress: Progress | None = None) -> T:
    """What `work` gives, which runs once for all who ask for `key` meanwhile; raises what it raises.

    It goes on when one who asked has left by an exception, of `progress` or of the interpreter.
    """
    with _books:
        job: _Job[T] | None = _jobs.get(key)
        if job is None:
            job = _jobs[key] = _Job(key, work)
    told = None
    over = False
    while not over:
        over = job.over.wait(_SHOWN_EVERY_SECONDS)
        if progress is not None and job.shown is not None and job.shown != told:
            told = job.shown
            progress(*told)
    if isinstance(job.error, DownloadFailed):
        raise DownloadFailed(str(job.error)) from job.error  # each who waits has an error of his own
    if job.error is not None:
        raise job.error
    return job.outcome
