"""What several page tests need."""

from collections.abc import Iterator
from functools import cache, partial

import pytest
from streamlit.components.v2 import manifest_scanner

from explorer.networks import from_box
from explorer.serving import pool
from tests.pages import opening


@pytest.fixture(scope="session", autouse=True)
def installed_components_are_looked_for_once() -> Iterator[None]:
    """AppTest reads at each run what every installed package says of itself: 0.2 s, more than most pages."""
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def open_page():
    """`open_page(arch="vgg16", size="160")` opens the page as that link would."""
    return partial(opening.opened, "pages/architecture.py")


@pytest.fixture
def only_the_zoo(monkeypatch, tmp_path):
    """A machine with no other weights, not even those in the box, and a pool of its own."""
    monkeypatch.setattr(from_box, "_path", lambda package: None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))
