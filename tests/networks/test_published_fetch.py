"""Fetching timm's tables over loopback: whole, partly, damaged, not at all."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from explorer.catalogue import published_files
from explorer.catalogue.published_tables import ACCURACY, TABLES
from explorer.networks.fetching import DownloadFailed
from explorer.networks.published_fetch import fetch

ROW = "resnet50.a1_in1k,224,80.2,94.9\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder served where the project's page is looked for."""
    folder = tmp_path / "project"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("EXPLORER_TABLES_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EXPLORER_TABLES", raising=False)
    for name, table in TABLES.items():
        (folder / name).write_text(f"model,{table.size},top1,top5\n{ROW}", "utf-8")
    yield folder
    server.shutdown()
    server.server_close()


def test_all_files_come_once_with_progress(project: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = fetch(lambda done, total: seen.append((done, total)))
    # Who waits looks at the progress now and then: a quick file may pass between two looks.
    assert seen[-1] == (9, 9)
    assert seen == sorted(set(seen))
    assert all(total == 9 for _, total in seen)
    assert sorted(each.name for each in folder.iterdir()) == sorted(TABLES)
    assert published_files.here().rows[0].values["top1"] == 80.2

    (project / ACCURACY).unlink()
    assert fetch() == folder  # today's are here


def test_without_one_of_the_others_the_rest_stands(project: Path) -> None:
    (project / "results-sketch.csv").unlink()
    (project / "results-imagenet-a.csv").write_text("<html>gone</html>", "utf-8")
    fetch()
    found = published_files.here()
    assert len(found.rows) == 1
    assert sum("cannot be read" in remark for remark in found.remarks) == 2


@pytest.mark.parametrize("damage", ["absent", "no table"])
def test_without_the_accuracies_the_last_ones_stay(project: Path, tmp_path: Path, damage: str) -> None:
    if damage == "absent":
        (project / ACCURACY).unlink()
    else:
        (project / ACCURACY).write_text("<html>moved</html>", "utf-8")
    with pytest.raises(DownloadFailed):
        fetch()
    assert list((tmp_path / "cache").rglob("*.csv")) == []
    assert published_files.folder() is None


def test_no_network_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_TABLES_URL", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        fetch()
