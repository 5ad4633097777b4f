"""Whatever a link holds, a page answers with a page: hostile values for each parameter of each page.

Nothing is listed by hand but the values: a page's parameters are what its widgets are bound to and what it
reads of the address, its views what its buttons offer, so that a new parameter is tested from its first day.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explorer.ui.claims import running as claims_running
from explorer.ui.diagram import choices
from explorer.ui.effective_field import measuring as effective_field_measuring
from explorer.ui.frame.navigation import ENTRIES
from explorer.ui.kit import once as visit
from tests.conftest import REPOSITORY
from tests.pages.opening import PATIENCE

DIGITS = "9" * 5000
HOSTILE: dict[str, str | bytes | list[str]] = {
    "5,000 digits": DIGITS,
    "not a number": "nan",
    "infinite": "inf",
    "negative": "-7",
    "minus zero": "-0",
    "beyond a float": "1e400",
    "a large whole number": "2000000000",
    "a fraction": "2.5",
    "a power of ten": "²",
    "NUL": "\0",
    "nobody's home": "~nobody",
    "a folder in nobody's home": "local-dir:~nosuchuser/x",
    "a folder with NUL": "local-dir:\0",
    "a path": "/etc/passwd",
    "upwards": "../..",
    "markup": "<script>alert(1)</script> **[x](http://y)** $a$ `b`",
    "joined and turned round": "\U0001f468\u200d\U0001f469 \u202eabc",
    "broken UTF-8": b"\xff\xfe%",
    "100 kB": "a" * 100_000,
    "empty": "",
    "repeated": ["resnet50", "nan", "vgg16"],
    "a list": f"resnet50,,local-dir:~nosuchuser/x,\0,{DIGITS}",
    "weights": "random:local-dir:~nosuchuser/x",
    "nested": '{"a":[' * 50,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, only_the_zoo: None) -> None:
    """What takes long and is no parameter's doing is done once: a visit finds what those before it computed,
    an effective field is measured with one input, and the claims are not checked.
    """
    monkeypatch.setattr(claims_running, "one_round", lambda *_: None)
    first = cache(partial(effective_field_measuring._one_more, so_far=None))

    def one_more(wanted: Any, so_far: Any) -> Any:
        return replace(first(wanted), passes=so_far.passes + 1 if so_far else 1)

    monkeypatch.setattr(effective_field_measuring, "_one_more", one_more)
    computed: dict[Any, Any] = {}

    def once(place: str, key: Any, compute: Callable[[], Any]) -> Any:
        if (place, key) not in computed:
            computed[place, key] = compute()
        return computed[place, key]

    monkeypatch.setattr(visit, "once", once)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names that pages have read of the address themselves."""
    names: set[str] = set()
    original = QueryParams.__getitem__

    def noted(self: QueryParams, name: str) -> str:
        names.add(name)
        return original(self, name)

    monkeypatch.setattr(QueryParams, "__getitem__", noted)
    return names


def opened(script: str, parameters: dict[str, Any]) -> AppTest:
    """The page as the first thing of a visit, all of its parameters in the address."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=PATIENCE)
    app._page_hash = calc_hash(Path(script).stem)
    app.query_params.update(parameters)
    return app.run()


def nodes(block: Any) -> Iterator[Any]:
    yield block
    for child in getattr(block, "children", {}).values():
        yield from nodes(child)


def bound(app: AppTest) -> dict[str, Any]:
    """Description of each widget that is tied to the address, by its parameter."""
    found: dict[str, Any] = {}
    for node in nodes(app._tree):
        proto = getattr(node, "proto", None)
        for part in (proto, getattr(proto, "tab_container", None), getattr(proto, "expandable", None)):
            if name := getattr(part, "query_param_key", ""):
                found[name] = part
    return found


def views(app: AppTest) -> list[dict[str, str]]:
    """The page as it opens, and each state of its buttons and tabs, in which it may have other parameters."""
    found: list[dict[str, str]] = [{}]
    for name, proto in bound(app).items():
        kind = type(proto).__name__
        if kind == "ButtonGroup" and proto.click_mode == proto.ClickMode.SINGLE_SELECT:
            found += [{name: option.content} for option in proto.options]
        if kind == "TabContainer":
            found += [{name: tab.label} for tab in app.tabs]
        if name == choices.DRAWING:  # its buttons show names, its parameter holds identifiers
            found += [{name: each} for each in choices.DRAWINGS]
    return found


def sound(app: AppTest) -> bool:
    return not app.exception and len(app.title) == 1


@pytest.mark.parametrize("script", [entry.script for entry in ENTRIES])
def test_no_value_takes_a_page_away(script: str, read: set[str]) -> None:
    """Each run gives each parameter another value; after all runs each has had every one."""
    first = opened(script, {})
    seen, kinds = views(first), list(HOSTILE)
    held = [bound(opened(script, view)).keys() for view in seen]
    for turn in range(max(len(kinds), len(seen))):
        view = seen[turn % len(seen)]
        names = sorted((held[turn % len(seen)] | read) - view.keys())
        values = {name: kinds[(turn + place) % len(kinds)] for place, name in enumerate(names)}
        app = opened(script, {**{name: HOSTILE[kind] for name, kind in values.items()}, **view})
        told = "\n".join(each.message for each in app.exception)
        assert sound(app), f"{view} with {values}: {[each.value for each in app.title]} {told}"


@pytest.mark.parametrize(
    ("script", "parameters"),
    [
        ("pages/architecture.py", {"size": "inf", "arch": "resnet50"}),
        ("pages/architecture.py", {"arch": "resnet50", "node": "nonsense"}),
        ("pages/architecture.py", {"arch": "local-dir:~nosuchuser/x"}),
        ("pages/architecture.py", {"arch": "local-dir:\0"}),
        ("pages/gradient_flow.py", {"gdepth": "many"}),
        ("pages/compare.py", {"networks": "lenet5,nonsense"}),
        ("pages/compare.py", {"networks": "lenet5,local-dir:~nosuchuser/x"}),
        ("pages/receptive_field.py", {"arch": "lenet5", "rf": "Stack", "rfstack": "3s0"}),
        ("pages/choose.py", {"cparams": "nan"}),
        ("pages/mistakes.py", {"mistake": "nonsense"}),
        ("pages/normalisation.py", {"nkind": "nonsense"}),
        ("pages/quiz.py", {"q": "nonsense"}),
        ("pages/timeline.py", {"families": "nonsense"}),
        ("pages/claims.py", {"claim": "nonsense", "topic": "nonsense"}),
        ("pages/efficiency.py", {"ex": "nonsense"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_was_not_understood_is_said(script: str, parameters: dict[str, str]) -> None:
    app = opened(script, parameters)
    assert sound(app)
    said = " ".join(each.value for each in (*app.warning, *app.caption)).replace("\\", "")
    odd = list(parameters.values())[-1] if script != "pages/architecture.py" else ""
    assert "left out" in said or "Showing ResNet-50 instead" in said
    assert odd.rpartition(",")[2].replace("~", "") in said.replace("~", "")


@pytest.mark.parametrize(
    ("script", "parameters"),
    [
        ("pages/architecture.py", {"arch": "resnet50", "size": "160", "memory": "Inference", "batch": "64"}),
        ("pages/gradient_flow.py", {"gview": "Flow", "gdepth": "20", "gnorm": "batch"}),
        ("pages/compare.py", {"networks": "lenet5,zoo:resnet20", "compare": "Numbers", "size": "32.0"}),
        ("pages/choose.py", {"cparams": "30", "cfamily": ["Modernised"], "cimages": "5000"}),
        ("pages/efficiency.py", {"eyears": ["2012", "2020"], "epattern": "TRUE"}),
        ("pages/timeline.py", {"families": "compact", "present": "false"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_nothing_is_said_of_a_link_that_was_understood(script: str, parameters: dict[str, Any]) -> None:
    app = opened(script, parameters)
    assert sound(app)
    assert not any("left out" in each.value for each in app.warning)


def test_every_value_is_tried_on_every_parameter() -> None:
    """The walk above turns by one value a run, so a page with more views than values still meets them all."""
    assert len({str(value) for value in HOSTILE.values()}) == len(HOSTILE)
