"""What every test may ask for; tests that need `../shared` skip, with the reason, where it is absent."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.full_disk import small_disk

# Side by side (-n 2), each worker takes one core; before PyTorch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run: what fails here fails for the next one, too.
settings.register_profile("same_examples", derandomize=True)
settings.load_profile("same_examples")

# No test asks a page of the world outside: nothing listens here.
os.environ["EXPLORER_TABLES_URL"] = "http://127.0.0.1:9"

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first: the shares of two workers then end together."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs ../shared/{'/'.join(parts)}, which is not beside this clone")
    return path


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Folder of real ImageNet weights in timm's folder format."""
    return _shared("models")


@pytest.fixture(scope="session")
def shared_photos() -> list[Path]:
    """Forty ImageNet photos; the file name holds synset and class."""
    return sorted(_shared("data", "photos").glob("*.JPEG"))


@pytest.fixture(scope="session")
def shared_cifar() -> Path:
    """CIFAR-10 as an archive of JPEG folders."""
    return _shared("data", "cifar10", "cifar10-imagefolder.tar.gz")


@pytest.fixture(scope="session")
def shared_timm() -> Path:
    """timm's published result tables."""
    return _shared("data", "timm")


@pytest.fixture
def no_own_networks() -> Iterator[None]:
    """None is registered before the test, and none after it."""
    from explorer.networks.own import registry

    registry.forget()
    yield
    registry.forget()


@pytest.fixture
def short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A measurement is three passes, whatever it was asked to be, and not two seconds of them."""
    from explorer.serving import benchmark

    whole = benchmark.Bench.measure
    limits = benchmark.Limits(seconds=0, least=3, most=3, warm_up_seconds=0)
    monkeypatch.setattr(
        benchmark.Bench,
        "measure",
        lambda self, size, _=None, progress=lambda share, text: None: whole(self, size, limits, progress),
    )


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own of 5 MB, still empty: `full_disk.fill` fills it."""
    with small_disk(tmp_path / "disk") as disk:
        yield disk
