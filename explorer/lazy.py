"""Names of a package that are imported when they are first asked for."""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def attributes(package: str, homes: Mapping[str, Collection[str]]) -> Callable[[str], Any]:
    """A package's `__getattr__` (PEP 562). homes: module, as seen from the package -> the names it gives."""
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home_of[name]}"), name)

    return get
