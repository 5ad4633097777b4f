"""Plotly's figures beside a thread that is still importing pandas."""

import ast
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BESIDE_AN_IMPORT = """
import sys, threading, time
import plotly.graph_objects
other = threading.Thread(target=lambda: __import__("pandas"))
other.start()
while "pandas" not in sys.modules:
    time.sleep(0.001)
from explorer.ui.kit.graph_objects import go
assert go.Figure(go.Scatter(x=[1, 2], y=[3, 4])).data[0].y == (3, 4)
other.join()
"""


def test_a_chart_is_drawn_while_another_thread_imports_pandas():
    subprocess.run([sys.executable, "-c", BESIDE_AN_IMPORT], cwd=REPOSITORY, check=True)


def test_every_figure_comes_from_there():
    """What is imported for types alone runs nothing."""
    importing = set()
    for path in (REPOSITORY / "explorer").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        typing = [
            each
            for each in ast.walk(tree)
            if isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING"
        ]
        of_types = {node for each in typing for node in ast.walk(each)}
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if node not in of_types and any(name.split(".")[0] == "plotly" for name in names):
                importing.add(path.name)
    assert importing == {"graph_objects.py"}
