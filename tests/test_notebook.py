"""The example notebook runs from its first cell to its last, and each cell shows something."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from explorer.ui import starting

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "explorer.ipynb"
LARGEST = 20_000  # bytes: without the outputs of a run


def run(cell: str, names: dict[str, Any]) -> Any:
    """As a notebook runs it: the value of its last line, where that is an expression."""
    body = ast.parse(cell)
    last = body.body.pop() if isinstance(body.body[-1], ast.Expr) else None
    exec(compile(body, "cell", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.usefixtures("no_own_networks")
def test_every_cell_runs_and_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(starting, "beside", lambda: "http://127.0.0.1:1")
    monkeypatch.setattr(starting, "open_in_browser", opened.append)
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [run(cell, names) for cell in cells]
    stats, diagram, fields, costs, explained, app = shown[1:]
    assert "<pre>Net\n" in stats._repr_html_()
    assert diagram._repr_svg_().startswith("<svg")
    assert fields["blocks.1.second"] == (19, 19)  # 3, then four of 3 x 3 at a stride of 2: 3 + 4 * 4
    assert set(costs) == {"resnet50", "convnext_t"}
    assert explained.explanation.predictions[0].label.endswith("cat")
    assert opened == [app.address]
    assert app.address.endswith("/architecture?arch=own:Net")


def test_it_carries_no_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert NOTEBOOK.stat().st_size < LARGEST
