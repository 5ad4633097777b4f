"""Where the app, its pages and assets lie: beside the package in a checkout, inside it once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "installed"  # a wheel carries app, pages, assets and Streamlit's configuration here

HOME = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
ASSETS = HOME / "assets"
