"""The layers: a folder imports only from those before it, and heavy libraries stay where they belong."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ORDER = ("catalogue", "networks", "analysis", "inference", "labs", "training", "serving", "ui")
ROOMS = {
    "analysis": ("graph", "field", "structure", "numbers", "diagram", "choosing", "comparing"),
    "ui": (
        "kit",
        "frame",
        "picture",
        "volumes",
        "network",
        "diagram",
        "side_by_side",
        "families",
        "effective_field",
    ),
}
PAGES = {path.stem for path in (REPOSITORY / "pages").glob("*.py")}
MOST_OUTSIDE = 6  # Python files of a folder that stand in none of its rooms
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


def _room(folder: str, name: str) -> str | None:
    """The room of a module of this folder: "explorer.ui.kit.theme" is in "kit"; None outside."""
    parts = name.split(".")
    inside = parts[:2] == ["explorer", folder] and (REPOSITORY / "explorer" / folder / parts[2]).is_dir()
    return parts[2] if inside else None


def _imports_of_rooms(folder: str) -> Iterator[tuple[Path, str, str]]:
    """(file, its room, a room of the same folder that it imports), where they are two."""
    for path in _files(f"explorer/{folder}"):
        own = path.relative_to(REPOSITORY / "explorer" / folder).parts[0]
        for name in _imported(path):
            room = _room(folder, name) if name.count(".") > 1 else None
            if room not in (None, own) and not own.endswith(".py"):
                yield path, own, room


@pytest.mark.parametrize("folder", ROOMS)
def test_a_room_imports_only_from_rooms_before_it(folder: str):
    shared = ROOMS[folder]
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {room}"
        for path, own, room in _imports_of_rooms(folder)
        if room not in (shared[: shared.index(own)] if own in shared else shared)
    ]
    assert not wrong


def test_every_room_of_the_screen_is_shared_or_a_page():
    rooms = {path.parent.name for path in (REPOSITORY / "explorer" / "ui").glob("*/__init__.py")}
    assert rooms == {*ROOMS["ui"], *PAGES}


@pytest.mark.parametrize("folder", ["analysis", "labs"])
def test_rooms_do_not_import_each_other_in_a_circle(folder: str):
    before: dict[str, set[str]] = {}
    for _, own, room in _imports_of_rooms(folder):
        before.setdefault(own, set()).add(room)
    assert list(TopologicalSorter(before).static_order())


@pytest.mark.parametrize("folder", ["analysis", "labs", "ui"])
def test_a_folder_is_made_of_rooms_and_no_file_repeats_the_name_of_its_own(folder: str):
    assert len(list((REPOSITORY / "explorer" / folder).glob("*.py"))) <= MOST_OUTSIDE
    repeating = [path for path in _files(f"explorer/{folder}") if path.parent.name in path.stem]
    assert not repeating


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
    "module",
    [
        "explorer.catalogue",
        "explorer.ui.frame.page",
        "explorer.ui.timeline.component",
        "explorer.serving.warmup",
    ],
)
def test_what_the_first_page_needs_leaves_torch_alone(module: str):
    code = f"import sys, {module}; print(sorted(set(sys.modules) & {{'torch', 'timm', 'torchvision'}}))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "[]"
