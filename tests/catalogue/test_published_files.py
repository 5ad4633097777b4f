"""Which files are read, and that anything wrong with them is a sentence beside the rest of the data."""

import os
from datetime import date
from pathlib import Path

import pytest

from explorer.catalogue import published_files as files
from explorer.catalogue.published_tables import ACCURACY

GOOD = "model,img_size,top1,top5\nresnet50.a1_in1k,224,80.2,94.9\nresnet18.a1_in1k,224,71.5,90.1\n"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EXPLORER_TABLES", raising=False)


def fetched(day: date, text: str = GOOD) -> None:
    folder = files.fetched_into(day)
    folder.mkdir(parents=True)
    (folder / ACCURACY).write_text(text, "utf-8")


def test_before_anything_is_fetched_the_shipped_table_is_read() -> None:
    found = files.here()
    assert len(found.rows) == 1556
    assert found.shipped
    assert found.read_on is not None
    assert not found.remarks
    fetched(date(2026, 2, 1))
    assert not files.here().shipped


def test_the_last_whole_fetch_is_read_with_its_day() -> None:
    fetched(date(2026, 1, 5), GOOD.replace("80.2", "79.0"))
    fetched(date(2026, 2, 1))
    (files.fetched_into(date(2026, 3, 1)).parent / "2026-03-01.ab12.partial").mkdir()
    found = files.here()
    assert found.read_on == date(2026, 2, 1)
    assert [row.values["top1"] for row in found.rows] == [80.2, 71.5]
    assert sum("cannot be read: No such file" in remark for remark in found.remarks) == 8


def test_a_folder_of_the_host_comes_first_and_has_no_day(tmp_path: Path, monkeypatch) -> None:
    fetched(date(2026, 2, 1))
    (tmp_path / ACCURACY).write_text(GOOD.replace("80.2", "81.0"), "utf-8")
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path))
    assert files.here().read_on is None
    assert files.here().rows[0].values["top1"] == 81.0


def test_a_changed_file_is_a_sentence_and_the_rest_of_the_data() -> None:
    found = files.from_texts(
        {ACCURACY: GOOD, "results-imagenet-a.csv": "<html>moved</html>", "birds.csv": "a,b\n1,2\n"}
    )
    assert len(found.rows) == 2
    assert "results-imagenet-a.csv has no column 'model' or 'img_size'." in found.remarks
    assert any(remark.startswith("birds.csv is none of timm's tables") for remark in found.remarks)


def test_all_nine_files_join_to_one_row_a_model_and_size(shared_timm: Path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_TABLES", str(shared_timm))
    found = files.here()
    assert len(found.rows) == 1556
    assert len({row.key for row in found.rows}) == 1556
    assert not any("cannot be read" in remark for remark in found.remarks)


def test_a_table_written_anew_is_seen_though_the_folder_keeps_its_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path))
    table = tmp_path / next(iter(files.TABLES))
    seen, folders = set(), set()
    for text, moment in (("one", 10**18), ("two", 10**18 + 1), ("three", 10**18 + 1)):
        table.write_text(text)  # the same file: neither gone nor come
        os.utime(table, ns=(moment, moment))
        seen.add(files.state())
        folders.add(tmp_path.stat().st_mtime_ns)
    assert (len(seen), len(folders)) == (3, 1)


def test_another_folder_is_another_state(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path / "one"))
    first = files.state()
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path / "two"))
    assert files.state() != first


@pytest.mark.parametrize("content", ["", GOOD[:12], "model,img_size,top1\nresnet50"])
def test_only_a_fetch_that_can_be_read_and_whose_day_has_come_counts(content: str) -> None:
    fetched(date(2026, 2, 1))
    files.fetched_into(date(9999, 1, 1)).mkdir()
    fetched(date(9998, 1, 1))
    fetched(date(2026, 3, 1), content)
    assert files.here().read_on == date(2026, 2, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / ACCURACY).write_bytes(GOOD.encode() + b"x" * 140_000 + b",224,1,1\n"),
        lambda folder: (folder / ACCURACY).write_bytes(b"\xff\xfe\x00"),
        lambda folder: (folder / ACCURACY).write_bytes(b"caf\xe9"),
        lambda folder: (folder / ACCURACY).mkdir(),
        lambda folder: os.mkfifo(folder / ACCURACY),
        lambda folder: (folder / ACCURACY).symlink_to("/dev/zero"),
        lambda folder: (folder / ACCURACY).symlink_to(ACCURACY),
    ],
)
def test_whatever_lies_in_the_hosts_folder_is_a_sentence(tmp_path: Path, monkeypatch, spoil) -> None:
    spoil(tmp_path)
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path))
    found = files.here()
    assert found.rows == ()
    assert found.remarks[0].startswith(ACCURACY) or found.remarks[-1].startswith(ACCURACY)
    files.state()


@pytest.mark.parametrize("place", ["~nobody-of-that-name/tables", "/nowhere"])
def test_a_folder_of_the_host_that_is_not_there_is_said(place: str, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_TABLES", place)
    assert files.here().rows == ()
    assert len(files.here().remarks) == 9
    files.state()
