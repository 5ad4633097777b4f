"""Which folders of this machine may be read as networks, decided before anything in them is. Needs no torch.

`local-dir:PATH` is a folder anywhere, `folder:NAME` one below the folder that EXPLORER_WEIGHTS names, or one
that was opened by its path before and got a name. A hosted explorer (EXPLORER_HOSTED) knows those below
EXPLORER_WEIGHTS only, and follows no link that leads out of there.
"""

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.writing import WriteError, write_whole
from explorer.networks.registries import UnknownNetwork

CONFIG = "config.json"
# Safetensors first: reading them can run no code.
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")


def at(path: str) -> Path:
    """The folder that `local-dir:PATH` means. Raises UnknownNetwork where it may not be opened."""
    if os.environ.get("EXPLORER_HOSTED"):
        raise UnknownNetwork(
            "A hosted explorer opens no folders by their path; take folder:NAME for those that its host laid "
            "out, or run it at home."
        )
    try:
        folder = Path(path).expanduser()
    except RuntimeError:  # "~nobody"
        folder = None
    if folder is None or "\0" in path:
        raise UnknownNetwork("After local-dir: stands the path of a folder, and this is none.")
    return folder


def shared(name: str) -> Path:
    """The folder that `folder:NAME` means. Raises UnknownNetwork with the names there are."""
    known = shared_names()
    if name in known:
        return _root() / name
    if name in (opened := _opened()):
        return Path(opened[name])
    there = ", ".join((*known, *opened)) or "none"
    raise UnknownNetwork(
        f"No folder called {name[:80]!r} is known here; there: {there}. Of EXPLORER_WEIGHTS all are, at home "
        "also what was opened by local-dir:PATH."
    )


def without_path(reference: str) -> str:
    """`folder:NAME` for the `local-dir:PATH` of a folder that is there, for addresses that go to others and
    screens that others see; all else as it is. The name is kept, so that it means the same tomorrow.
    """
    before, found, path = reference.strip().partition("local-dir:")
    if not found or before not in ("", "random:"):  # the second of weights
        return reference
    try:
        folder = at(path).resolve()
        if not folder.is_dir():
            return reference
    except (UnknownNetwork, OSError, RuntimeError, ValueError):  # said where it is opened
        return reference
    return f"{before}folder:{_named(folder)}"


def _named(folder: Path) -> str:
    """The name under which `shared` finds it, given at the first asking."""
    root, opened = _root().resolve(), _opened()
    if folder.parent == root and folder.name in shared_names():
        return folder.name
    known = next((name for name, path in opened.items() if path == str(folder)), None)
    if known is not None:
        return known
    # No commas nor @, which have a meaning in a link.
    plain = re.sub(r"[^\w.-]+", "-", folder.name) or "folder"
    taken = {*opened, *shared_names()}
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    name = next(each for each in names if each not in taken)
    _here[name] = str(folder)
    with suppress(WriteError):  # then it is known until the program ends
        write_whole(_kept(), json.dumps(opened | _here).encode())
    return name


_here: dict[str, str] = {}  # what this process named, by name


def _opened() -> dict[str, str]:
    """Name -> path of the folders that were opened by their path on this machine; none on a hosted one."""
    if os.environ.get("EXPLORER_HOSTED"):
        return {}
    try:
        kept = json.loads(_kept().read_bytes())
    except (OSError, ValueError, RecursionError):
        kept = {}
    texts = kept.items() if isinstance(kept, dict) else ()
    return {name: path for name, path in texts if isinstance(path, str)} | _here


def _kept() -> Path:
    return cache_folder("folders") / "opened.json"


def shared_names() -> tuple[str, ...]:
    """The folders below EXPLORER_WEIGHTS with a config.json that may be read."""
    root = _root()
    if not os.environ.get("EXPLORER_WEIGHTS") or not root.is_dir():
        return ()
    folders = (each.parent for each in root.glob(f"*/{CONFIG}"))
    hosted = bool(os.environ.get("EXPLORER_HOSTED"))
    return tuple(sorted(each.name for each in folders if not hosted or _stays_inside(each)))


def weights_file(folder: Path) -> Path | None:
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


def _root() -> Path:
    return Path(os.path.expanduser(os.environ.get("EXPLORER_WEIGHTS", "")))


def _stays_inside(folder: Path) -> bool:
    """Whether folder, config.json and weights lie below EXPLORER_WEIGHTS once links are followed."""
    if not os.environ.get("EXPLORER_WEIGHTS"):
        return False
    try:
        root = _root().resolve()
        read = (folder, *(folder / name for name in (CONFIG, *WEIGHTS)))
        return folder.resolve() != root and all(each.resolve().is_relative_to(root) for each in read)
    except (OSError, RuntimeError):  # a ring of links
        return False
