"""Whatever a server does: a sentence within the bounds, no more than the cap on disk, nothing left, and the
next try works. Tables, torch.hub's files and the hub's go the same way."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch.hub
from huggingface_hub import constants

from explorer.catalogue import published_files
from explorer.catalogue.published_tables import ACCURACY, TABLES
from explorer.networks import fetching, published_fetch
from explorer.networks.downloading import download, download_from_hub, remove_if_damaged, torch_hub_file
from explorer.networks.fetching import Bounds, DownloadFailed, together
from tests.full_disk import fill, names
from tests.networks.faulty_server import FAULTS, Server, serving

BOUNDS = Bounds(largest=1 << 18, seconds=2.0, stall_seconds=0.5)
WEIGHTS = bytes(range(256)) * 300
TABLE = b"model,%b,top1,top5\n" + b"resnet50.a1_in1k,224,80.2,94.9\n" * 400
Fetch = Callable[[], Path]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.6)
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "kept" / "cache"))
    monkeypatch.delenv("EXPLORER_TABLES", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "kept" / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "kept" / "torch"))
    with serving() as running, serving() as another:
        running.elsewhere = another.url
        another.files = running.files
        yield running


@pytest.fixture
def tables(server: Server, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    monkeypatch.setenv("EXPLORER_TABLES_URL", server.url)
    server.files |= {f"/{name}": TABLE % table.size.encode() for name, table in TABLES.items()}
    return lambda: published_fetch.fetch(bounds=BOUNDS) / ACCURACY


@pytest.fixture
def torch_hub(server: Server) -> Fetch:
    path = f"/net-{hashlib.sha256(WEIGHTS).hexdigest()[:8]}.pth"
    server.files[path] = WEIGHTS
    return lambda: download(server.url + path, torch_hub_file(path), None, BOUNDS)


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    server.files["/someone/net/resolve/main/model.safetensors"] = WEIGHTS
    return lambda: download_from_hub("someone/net", ("model.safetensors",), None, BOUNDS)


@pytest.fixture(params=["tables", "torch_hub", "hub"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    return request.getfixturevalue(request.param)


def kept(tmp_path: Path) -> int:
    """Bytes in the caches of this test."""
    return sum(each.stat().st_size for each in (tmp_path / "kept").rglob("*") if each.is_file())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_leaves_nothing_and_the_retry_works(
    fetch: Fetch, fault: str, server: Server, tmp_path: Path, request: pytest.FixtureRequest
):
    if fault == "poison" and "tables" in request.node.name:
        server.files["/" + ACCURACY] = TABLE.replace(b"80.2", b"80.\xff") % b"img_size"
        server.fault = ""
    else:
        server.fault = fault
    most, watching = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not watching.wait(0.005):
            try:
                most = max(most, kept(tmp_path))
            except FileNotFoundError:  # removed meanwhile
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(DownloadFailed, match=r"^[^\n<>]{15,140}$"):
            fetch()
    finally:
        watching.set()
        watcher.join()
    assert most <= BOUNDS.largest
    assert [each for each in (tmp_path / "kept").rglob("*") if each.is_file()] == []
    assert not list((tmp_path / "kept").rglob("*.partial"))

    server.fault = ""
    if "/" + ACCURACY in server.files:
        server.files["/" + ACCURACY] = TABLE % b"img_size"
    path = fetch()
    assert path.read_bytes() in server.files.values()
    assert not list((tmp_path / "kept").rglob("*.partial"))


def test_two_visitors_make_one_request_and_both_see_it_come(torch_hub: Fetch, server: Server):
    server.fault = "slow start"
    url = server.url + next(iter(server.files))
    seen: dict[int, list[tuple[int, int | None]]] = {0: [], 1: []}

    def visit(number: int) -> None:
        target = torch_hub_file(url)
        download(url, target, lambda done, total: seen[number].append((done, total)), BOUNDS)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in seen]
    for visitor in visitors:
        visitor.start()
    while not all((10, len(WEIGHTS)) in each for each in seen.values()):
        time.sleep(0.01)
    server.held.set()
    for visitor in visitors:
        visitor.join()
    assert len(server.requests) == 1
    assert all(each[-1] == (len(WEIGHTS), len(WEIGHTS)) for each in seen.values())


def test_two_visitors_make_one_request_for_each_table(tables: Fetch, server: Server):
    server.fault = "slow start"
    visitors = [threading.Thread(target=tables) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    while not server.requests:
        time.sleep(0.01)
    server.held.set()
    for visitor in visitors:
        visitor.join()
    assert sorted(server.requests) == sorted(f"/{name}" for name in TABLES)


def test_all_who_wait_hear_of_the_failure_and_the_next_starts_anew():
    begun, failing = threading.Event(), threading.Event()
    heard: list[str] = []

    def work(report: fetching.Progress) -> None:
        begun.set()
        failing.wait()
        raise DownloadFailed("the reason")

    def visit() -> None:
        try:
            together("key", work)
        except DownloadFailed as error:
            heard.append(str(error))

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    begun.wait()
    while not all(visitor.is_alive() for visitor in visitors):
        time.sleep(0.01)
    failing.set()
    for visitor in visitors:
        visitor.join()
    assert heard == ["the reason"] * 3
    assert together("key", lambda report: "done") == "done"


@pytest.mark.parametrize(
    ("here", "there", "followed"),
    [
        ("https://a.org/x", "https://a.org/y", True),
        ("http://a.org/x", "https://a.org/x", True),
        ("https://a.org/x", "http://a.org/x", False),
        ("https://a.org/x", "https://b.org/x", False),
        ("https://a.org/x", "https://a.org.evil.com/x", False),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8001/x", False),
        ("https://a.org/x", "ftp://a.org/x", False),
        ("https://a.org/x", "https://a.org:x/", False),
        ("https://huggingface.co/x", "https://cas-bridge.xethub.hf.co/x", True),
        ("https://huggingface.co/x", "http://cas-bridge.xethub.hf.co/x", False),
        ("https://huggingface.co/x", "https://evilhf.co/x", False),
    ],
)
def test_which_redirects_are_followed(here: str, there: str, followed: bool):
    assert fetching._may_lead(here, there, (".huggingface.co", ".hf.co")) is followed


@pytest.mark.parametrize("name", ["tables", "torch_hub", "hub"])
def test_a_full_disk_names_the_file_and_is_left_as_it_was(
    name: str, server: Server, full_disk: Path, monkeypatch, request: pytest.FixtureRequest
):
    monkeypatch.setenv("EXPLORER_CACHE", str(full_disk / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(full_disk / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(full_disk / "torch"))
    get = request.getfixturevalue(name)
    fill(full_disk, left=8192)
    with pytest.raises(DownloadFailed, match=r"\w cannot be written: No space left on device"):
        get()
    assert names(full_disk) == set()
    (full_disk / "filling").unlink()
    assert get().read_bytes() in server.files.values()


def test_a_broken_fetch_of_today_is_fetched_again(tables: Fetch, server: Server):
    first = tables()
    first.write_bytes(b"model,img_size,top1\nresnet50")
    assert published_files.folder() is None
    assert tables().read_bytes() == server.files["/" + ACCURACY]
    assert published_files.here().rows


def test_a_damaged_file_of_the_caches_goes_and_any_other_stays(torch_hub: Fetch, hub: Fetch, tmp_path: Path):
    for get in (torch_hub, hub):
        path = get()
        assert not remove_if_damaged(path)
        path.resolve().write_bytes(WEIGHTS[:-1])
        assert remove_if_damaged(path)
        assert not path.exists()
        assert get().read_bytes() == WEIGHTS
    own = tmp_path / f"net-{'0' * 8}.pth"
    own.write_bytes(b"damaged")
    assert not remove_if_damaged(own)
    assert own.exists()


def test_what_the_bounds_say_is_what_the_sentence_says(torch_hub: Fetch, server: Server):
    server.fault = "byte by byte"
    with pytest.raises(DownloadFailed, match=re.escape("its server sends too slowly")) as failed:
        torch_hub()
    assert "within 0.5 s" in str(failed.value)
