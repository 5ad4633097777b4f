"""A file is whole or the one of before, whatever stops the writing; nothing stays beside it."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from explorer.catalogue import writing
from explorer.catalogue.writing import WriteError, replacing, write_whole
from tests.full_disk import fill, names


def test_it_is_written_with_its_folder_and_the_rights_of_any_new_file(tmp_path: Path):
    write_whole(tmp_path / "new" / "file.txt", b"content")
    (tmp_path / "plain").touch()
    assert (tmp_path / "new" / "file.txt").read_bytes() == b"content"
    assert (tmp_path / "new" / "file.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["file.txt"]


def test_a_full_disk_is_said_with_the_name_and_takes_nothing_away(full_disk: Path):
    target = full_disk / "good.bin"
    write_whole(target, b"good")
    fill(full_disk, left=8192)
    with pytest.raises(WriteError, match=r"good\.bin cannot be written: No space left on device"):
        write_whole(target, bytes(100_000))
    assert target.read_bytes() == b"good"
    assert names(full_disk) == {"good.bin"}


def test_whatever_stops_the_block_leaves_the_old_file(tmp_path: Path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with contextlib.suppress(KeyboardInterrupt), replacing(target) as file:
        file.write(b"half of the ne")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_of_two_files_together_neither_is_replaced_where_one_cannot_be(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "no folder" / "second"
    first.write_bytes(b"old")
    second.parent.write_bytes(b"in the way")
    with pytest.raises(WriteError, match="second cannot be written"), replacing(first), replacing(second):
        pytest.fail("the block does not begin")
    assert first.read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_the_longest_name_can_be_written(tmp_path: Path):
    write_whole(tmp_path / ("é" * 127), b"x")
    with pytest.raises(WriteError, match="too long"):
        write_whole(tmp_path / ("x" * 300), b"x")


def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path: Path):
    target = tmp_path / "[odd] name.csv"
    abandoned, another_s = (tmp_path / f"{target.name}.{tag}.partial" for tag in ("0123abcd", "4567cdef"))
    abandoned.touch()
    another_s.touch()
    long_ago = time.time() - writing._ABANDONED_SECONDS - 60
    os.utime(abandoned, (long_ago, long_ago))
    write_whole(target, b"x")
    assert set(tmp_path.iterdir()) == {target, another_s}


def test_the_end_of_the_process_removes_what_its_threads_were_writing(tmp_path: Path):
    program = f"""
import threading
from explorer.catalogue.writing import replacing
begun = threading.Event()
def write():
    with replacing({str(tmp_path / "big")!r}) as file:
        begun.set()
        threading.Event().wait()
threading.Thread(target=write, daemon=True).start()
begun.wait()
""".replace(repr(str(tmp_path / "big")), f"__import__('pathlib').Path({str(tmp_path / 'big')!r})")
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)
    assert list(tmp_path.iterdir()) == []


def test_writers_at_once_leave_one_whole_file(tmp_path: Path):
    contents = [bytes([number]) * 200_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(tmp_path / "f", each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "f").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1
