"""Names of classes from a file of the visitor's, by output index. Needs no torch."""

import json
from pathlib import Path
from typing import Any

from explorer.networks.registries import UnknownNetwork

_LARGEST_BYTES = 16 << 20
_LONGEST_LABEL = 200  # characters; the longest of ImageNet's descriptions has 175


def read(path: Path) -> tuple[str, ...]:
    """A text with a line a class; or JSON: a list of names, {"0": name, ...} or {name: 0, ...}, alone or as
    `id2label` or `label_names` of a larger table.

    Raises UnknownNetwork where the file is none of these.
    """
    try:
        if not path.is_file():  # a pipe or a device, which have no end
            raise FileNotFoundError(path)
        with path.open("rb") as file:
            said = file.read(_LARGEST_BYTES + 1)
        if len(said) > _LARGEST_BYTES:
            raise UnknownNetwork(f"{path.name} is larger than any list of classes.")
        text = said.decode("utf-8-sig")
    except OSError:
        raise UnknownNetwork(f"The names of the classes in {path.name} cannot be read.") from None
    except UnicodeDecodeError:
        raise UnknownNetwork(f"{path.name} is no text; names of classes stand one a line.") from None
    names = _of_json(text, path.name) if path.suffix.lower() == ".json" else _of_lines(text)
    if not names:
        raise UnknownNetwork(f"{path.name} names no class; the names stand one a line.")
    return tuple(map(printable, names))


def printable(text: Any) -> str:
    """What a stranger wrote, as it can stand in a line: bounded, no controls, no halves of characters."""
    short = str(text)[:_LONGEST_LABEL]
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in short)


def _of_lines(text: str) -> list[str]:
    """Empty lines at the end are none; one in between is a class without a name."""
    return [line.strip() for line in text.rstrip().splitlines()]


def _of_json(text: str, shown: str) -> list[Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise UnknownNetwork(f"{shown} is not valid JSON.") from None
    if isinstance(said, dict):
        said = said.get("id2label") or said.get("label_names") or said
    if isinstance(said, dict):
        # Either way round, as datasets and libraries write it: {"0": "cat"} or {"cat": 0}.
        pairs = {_index(key): name for key, name in said.items()}
        if None in pairs:
            pairs = {_index(number): name for name, number in said.items()}
        if set(pairs) != set(range(len(said))):
            raise UnknownNetwork(f"{shown} must number its {len(said):,} classes from 0 on, each once.")
        said = [pairs[number] for number in range(len(pairs))]
        if all(isinstance(each, list) and each for each in said):  # of ImageNet: synset, then name
            said = [each[-1] for each in said]
    if not isinstance(said, list) or not all(isinstance(each, str | int) for each in said):
        raise UnknownNetwork(f"{shown} must be a list of names, or a table of numbers and names.")
    return said


def _index(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None
