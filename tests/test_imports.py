"""The layers: a folder imports only from those before it, and heavy libraries stay where they belong."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ORDER = ("catalogue", "networks", "analysis", "inference", "labs", "training", "serving", "ui")
SCREEN = {"streamlit", "gradio", "plotly"}
BUILDERS = {"torch", "torchvision", "timm", "captum"}


def _imported(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, inside functions too; relative imports are resolved."""
    folder = path.relative_to(REPOSITORY).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*folder[: len(folder) - node.level + 1]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _folder_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "explorer" and len(parts) > 1 and parts[1] in ORDER else None


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_imports_only_from_folders_before_it(folder: str):
    allowed = ORDER[: ORDER.index(folder) + 1]
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in _files(f"explorer/{folder}")
        for name in _imported(path)
        if _folder_of(name) not in (None, *allowed)
    ]
    assert not wrong


def test_the_screen_libraries_stay_in_ui_pages_and_app():
    core = [path for folder in ORDER[:-1] for path in _files(f"explorer/{folder}")]
    core += (REPOSITORY / "explorer").glob("*.py")
    wrong = [(str(path), name) for path in core for name in _imported(path) if name.split(".")[0] in SCREEN]
    assert not wrong


@pytest.mark.parametrize("folder", ["explorer/catalogue", "pages"])
def test_no_tensors_where_things_are_only_known_or_shown(folder: str):
    wrong = [
        (str(path), name)
        for path in _files(folder)
        for name in _imported(path)
        if name.split(".")[0] in BUILDERS
    ]
    assert not wrong


def test_pages_are_reached_through_the_frame():
    """Every page's first statement after its imports is the accessor, or a cold deep link shows it bare."""
    for path in _files("pages"):
        body = ast.parse(path.read_text("utf-8")).body
        first = next(
            node for node in body if not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom)
            or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        )  # fmt: skip
        calls = {ast.unparse(call.func) for call in ast.walk(first) if isinstance(call, ast.Call)}
        constant = isinstance(first, ast.Assign) and not calls
        assert constant or "page.begin" in calls, f"{path.name} begins with {ast.unparse(first)!r}"


@pytest.mark.parametrize(
    "module", ["explorer.catalogue", "explorer.ui.page", "explorer.ui.timeline", "explorer.serving.warmup"]
)
def test_what_the_first_page_needs_leaves_torch_alone(module: str):
    code = f"import sys, {module}; print(sorted(set(sys.modules) & {{'torch', 'timm', 'torchvision'}}))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "[]"
