"""What the project's own parts send to the browser."""

import ast

import pytest

from explorer.ui.kit import components
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_have_is_never_sent(monkeypatch, number: float) -> None:
    sent = []
    monkeypatch.setattr(
        components.st.components.v2, "component", lambda *_, **__: lambda **of: sent.append(of)
    )
    draw = components.declare("part", html="", css="", js="")
    draw(key="a", data={"peak": [0.5, None]})
    with pytest.raises(ValueError, match="JSON"):
        draw(key="a", data={"peak": [0.5, number]})
    assert sent == [{"key": "a", "data": {"peak": [0.5, None]}}]


def test_there_is_no_other_way_to_declare_one() -> None:
    declaring = {
        path.name
        for path in (REPOSITORY / "explorer").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("components.v2.component")
    }
    assert declaring == {"components.py"}
