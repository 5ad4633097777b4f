"""Which names each builder knows, found without importing any of them.

timm and torchvision register every network with a decorator, so reading their installed source gives exactly
their own `list_models()`, in a tenth of a second and without torch.
"""

import difflib
import importlib.util
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from explorer.networks.written_here import WRITTEN_HERE
from explorer.networks.zoo import ZOO

_REGISTERED = re.compile(r"^@register_model(?:\(\))?\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
_COMPARED_CHARACTERS = 80  # comparing takes quadratic time, and names come from visitors
_FEW = 10  # names that an error can all print


class UnknownNetwork(ValueError):  # noqa: N818 - it is what a reader is told
    """No builder can make sense of the name; the message says what would do."""


@cache
def names() -> Mapping[str, tuple[str, ...]]:
    """Builder -> every name it can build."""
    return MappingProxyType(
        {
            "explorer": tuple(WRITTEN_HERE),
            "timm": _registered("timm"),
            "torchvision": _registered("torchvision"),
            "zoo": tuple(ZOO),
        }
    )


def unknown(name: str, known: Iterable[str], builder: str = "") -> UnknownNetwork:
    """The error for a name that is not among the known ones, with the nearest that are."""
    prefix = f"{builder}:" if builder else ""
    short = name[:_COMPARED_CHARACTERS]
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(short.lower(), names, n=5, cutoff=0.6)
    hint = f"near matches: {', '.join(prefix + each for each in near)}" if near else "no name is near it"
    if not near and len(names) <= _FEW:
        hint = f"there are {', '.join(prefix + each for each in names)}"
    return UnknownNetwork(f"No network is called {prefix + short!r}; {hint}.")


def _registered(package: str) -> tuple[str, ...]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ()
    # Not below the folder: torchvision keeps its detection, segmentation and video networks there.
    files = (Path(spec.submodule_search_locations[0]) / "models").glob("*.py")
    sources = (path.read_text(encoding="utf-8") for path in files)
    return tuple(sorted(name for source in sources for name in _REGISTERED.findall(source)))
