"""Folders by name: a path that was typed becomes a name that means the same folder tomorrow."""

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.networks import UnknownNetwork, folders, resolve
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def known_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    monkeypatch.delenv("EXPLORER_HOSTED", raising=False)
    monkeypatch.setattr(folders, "_here", {})


def network(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"architecture": "test_resnet"}')
    return folder


def test_a_path_becomes_a_name_that_is_kept(tmp_path):
    one = network(tmp_path / "one" / "my, net@224")
    other = network(tmp_path / "other" / "my, net@224")
    assert folders.without_path(f"local-dir:{one}") == "folder:my-net-224"
    assert folders.without_path(f"random:local-dir:{other}") == "random:folder:my-net-224-2"
    assert folders.without_path(f"local-dir:{one}/../my, net@224/") == "folder:my-net-224"
    assert folders.shared("my-net-224") == one
    assert str(resolve("folder:my-net-224-2")) == "folder:my-net-224-2"
    asked = "from explorer.networks import folders; print(folders.shared('my-net-224-2'))"
    run = [sys.executable, "-c", asked]
    later = subprocess.run(run, capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert later.stdout.strip() == str(other)


def test_a_name_of_the_host_s_is_taken_first(tmp_path, monkeypatch):
    laid_out, elsewhere = network(tmp_path / "weights" / "net"), network(tmp_path / "net")
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path / "weights"))
    assert folders.without_path(f"local-dir:{laid_out}") == "folder:net"
    assert folders.without_path(f"local-dir:{elsewhere}") == "folder:net-2"
    assert folders.shared("net") == laid_out


def test_what_is_no_folder_or_no_path_stays_as_it_is(tmp_path):
    for name in ("resnet50", "hf-hub:a/local-dir:b", f"local-dir:{tmp_path}/none", "local-dir:~nobody/x", ""):
        assert folders.without_path(name) == name
    assert folders.without_path("local-dir:\0") == "local-dir:\0"


def test_a_spoilt_list_knows_nothing(tmp_path):
    kept = tmp_path / "cache" / "folders" / "opened.json"
    kept.parent.mkdir(parents=True)
    for spoilt in (b"\xff", b"[" * 100_000, b"[1]", b'{"net": 5}'):
        kept.write_bytes(spoilt)
        with pytest.raises(UnknownNetwork, match="there: none"):
            folders.shared("net")


def test_a_hosted_explorer_knows_no_folder_that_was_opened_by_its_path(tmp_path, monkeypatch):
    typed = f"local-dir:{network(tmp_path / 'net')}"
    assert folders.without_path(typed) == "folder:net"
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    assert folders.without_path(typed) == typed  # and refused where it is opened
    with pytest.raises(UnknownNetwork, match="No folder called 'net'"):
        folders.shared("net")
