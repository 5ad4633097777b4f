"""The package as `pip install .` makes it: one wheel with app, pages and assets, which runs anywhere."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.ports import answers, free_port

build = pytest.importorskip("hatchling.build", reason="the wheel is built by hatchling")
MOST_BYTES = 15e6


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the unpacked wheel and nothing else of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    before = Path.cwd()
    os.chdir(REPOSITORY)  # where hatchling looks for the project
    try:
        wheel = folder / build.build_wheel(str(folder))
    finally:
        os.chdir(before)
    assert wheel.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def command(installed: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "explorer", *arguments], {**os.environ, "PYTHONPATH": str(installed)}


def test_a_command_runs_from_an_empty_folder(installed: Path, tmp_path: Path):
    run, environment = command(installed, "explain", str(REPOSITORY / "assets/samples/horse.jpg"))
    run += ["--model", "zoo:resnet20", "--out", str(tmp_path / "out")]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "zoo:resnet20" in done.stdout
    scripts = next(installed.glob("*.dist-info/entry_points.txt")).read_text("utf-8")
    assert "cnn-explorer = explorer.__main__:main" in scripts


def test_the_app_starts_from_an_empty_folder(installed: Path, tmp_path: Path):
    port = free_port()
    run, environment = command(installed, "app", "--port", str(port))
    environment["STREAMLIT_SERVER_HEADLESS"] = "true"
    server = subprocess.Popen(run, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert answers(port, server)
    finally:
        server.terminate()
        server.wait()
