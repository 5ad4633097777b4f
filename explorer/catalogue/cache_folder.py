"""Where the program keeps what it made or fetched and can make or fetch again."""

import os
from pathlib import Path


def cache_folder(purpose: str) -> Path:
    """The folder for `purpose`, such as "traces", which may not exist yet: below EXPLORER_CACHE, else below
    the user's cache folder by the convention of the platform's desktops.
    """
    if chosen := os.environ.get("EXPLORER_CACHE"):
        return Path(chosen) / purpose
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cnn-architecture-explorer" / purpose
