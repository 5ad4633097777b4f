"""Reading the catalogue's TOML strictly: the unknown, missing or mistyped is an error with its address."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class CatalogueError(ValueError):
    """A data file says something it may not; the message names file, entry and field."""


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables; a file that is no TOML raises CatalogueError with its name."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: not valid TOML: {error}") from error


class Entry:
    """One table of a data file, read field by field; `close` rejects whatever was not asked for.

    A default given to a reader makes its field optional.
    """

    def __init__(self, file: str, name: str, fields: object, prefix: str = "") -> None:
        self._file, self._name, self._prefix = file, name, prefix
        self._seen: set[str] = set()
        self._fields: Mapping[str, Any] = {}
        if not isinstance(fields, dict):
            raise self.error("", f"expected a table, got {fields!r}")
        self._fields = fields

    def error(self, field: str, problem: str) -> CatalogueError:
        """The error to raise for `field`, with file and entry already in the message."""
        address = (self._prefix + field).rstrip(".") or "the entry"
        return CatalogueError(f"{self._file}: {self._name}: {address}: {problem}")

    def _read(self, field: str, kinds: tuple[type, ...], wanted: str, default: Any) -> Any:
        self._seen.add(field)
        if field not in self._fields:
            if default is None:
                raise self.error(field, "is missing")
            return default
        value = self._fields[field]
        # type(), not isinstance(): TOML's true is an int to isinstance.
        if type(value) not in kinds:
            raise self.error(field, f"expected {wanted}, got {value!r}")
        return value

    def text(self, field: str, default: str | None = None) -> str:
        text: str = self._read(field, (str,), "a string", default)
        if text.strip() != text or (not text and default is None):
            raise self.error(field, f"is empty or has space around it: {text!r}")
        return text

    def texts(self, field: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self._read(field, (list,), "a list of strings", default)
        for position, value in enumerate(values):
            if type(value) is not str or not value:
                raise self.error(f"{field}[{position}]", f"expected a string, got {value!r}")
        return tuple(values)

    def integer(self, field: str, default: int | None = None) -> int:
        return int(self._read(field, (int,), "a whole number", default))

    def number(self, field: str) -> float:
        return float(self._read(field, (int, float), "a number", None))

    def flag(self, field: str) -> bool:
        return bool(self._read(field, (bool,), "true or false", False))

    def tables(self, field: str) -> tuple["Entry", ...]:
        """The tables under `field`, which may hold one table or a list of them; none where it is absent."""
        value = self._read(field, (dict, list), "a table or a list of tables", ())
        if isinstance(value, dict):
            return (Entry(self._file, self._name, value, f"{self._prefix}{field}."),)
        return tuple(
            Entry(self._file, self._name, table, f"{self._prefix}{field}[{position}].")
            for position, table in enumerate(value)
        )

    def table(self, field: str) -> "Entry":
        """The one table under `field`; an empty one where it is absent."""
        value = self._read(field, (dict,), "a table", {})
        return Entry(self._file, self._name, value, f"{self._prefix}{field}.")

    def names(self) -> tuple[str, ...]:
        return tuple(self._fields)

    def rest(self) -> dict[str, Any]:
        """Every field that no reader asked for, as it stands; nothing is then left for `close` to reject."""
        left = {field: value for field, value in self._fields.items() if field not in self._seen}
        self._seen.update(left)
        return left

    def close(self) -> None:
        """Raise CatalogueError for the first field that no reader asked for."""
        for field in self._fields:
            if field not in self._seen:
                known = ", ".join(sorted(self._seen))
                raise self.error(field, f"is not a known field; known here: {known}")
