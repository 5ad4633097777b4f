"""Which folders of this machine may be read as networks, decided before anything in them is. Needs no torch.

`local-dir:PATH` is a folder anywhere, `folder:NAME` one below the folder that EXPLORER_WEIGHTS names. A
hosted explorer (EXPLORER_HOSTED) knows the second kind only, and follows no link that leads out of there.
"""

import os
from pathlib import Path

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
    if name not in known:
        there = ", ".join(known) or "none"
        raise UnknownNetwork(f"EXPLORER_WEIGHTS holds no folder called {name[:80]!r}; there: {there}.")
    return _root() / name


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
