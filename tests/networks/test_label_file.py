"""A list of classes in any of the forms in which people keep one."""

import json
from pathlib import Path

import pytest

from explorer.networks import UnknownNetwork, label_file

NAMES = ("cat", "dog", "axolotl")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "cat\ndog\naxolotl"),
        ("labels.txt", "\ufeffcat\r\n dog \r\naxolotl\r\n\n"),
        ("classes", "cat\ndog\naxolotl\n"),
        ("labels.json", json.dumps(NAMES)),
        ("labels.json", json.dumps({"0": "cat", "1": "dog", "2": "axolotl"})),
        ("index.json", json.dumps({"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "axolotl"]})),
        ("labels.json", json.dumps({"dog": 1, "cat": 0, "axolotl": 2})),
        ("config.json", json.dumps({"model_type": "resnet", "id2label": dict(enumerate(NAMES))})),
        ("config.json", json.dumps({"architecture": "resnet18", "label_names": NAMES})),
    ],
)
def test_names_stand_by_output(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert label_file.read(tmp_path / name) == NAMES


def test_a_line_left_empty_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\n\naxolotl\n")
    assert label_file.read(tmp_path / "labels.txt") == ("cat", "", "axolotl")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("labels.txt", b"", "names no class"),
        ("labels.txt", b"\xff\xfe\x00", "no text"),
        ("labels.json", b"{", "not valid JSON"),
        ("labels.json", b"[" * 100_000, "not valid JSON"),
        ("labels.json", b"7", "must be a list"),
        ("labels.json", b'[["cat"]]', "must be a list"),
        ("labels.json", b'{"0": "cat", "2": "dog"}', "must number its 2 classes"),
        ("labels.json", b'{"cat": 0, "dog": 0}', "must number its 2 classes"),
        ("labels.json", b'{"0": ["cat"], "1": "dog"}', "must be a list"),
        ("labels.json", b"{}", "names no class|must be a list"),
    ],
)
def test_what_is_no_list_of_names_is_a_sentence(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnknownNetwork, match=rf"^[^\n]*{name}[^\n]*({says})[^\n]*\.$"):
        label_file.read(tmp_path / name)


@pytest.mark.parametrize("path", ["/dev/zero", "nowhere.txt", "."])
def test_what_has_no_end_or_is_not_there_is_a_sentence(path: str) -> None:
    with pytest.raises(UnknownNetwork, match=r"cannot be read\.$"):
        label_file.read(Path(path))
