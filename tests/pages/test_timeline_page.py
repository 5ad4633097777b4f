"""The home page. The drawing is opaque here: its geometry is tested in tests/ui, its clicks in a browser."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import catalogue
from explorer.ui.frame import page, state
from tests.conftest import REPOSITORY


@pytest.fixture
def app() -> AppTest:
    made = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    made.session_state[page.CONTROLS] = True  # no browser here would ever say so
    return made


def sources_of(app: AppTest) -> str:
    return app.expander[0].markdown[0].value


def test_the_story_comes_before_the_controls():
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60).run()
    assert app.get("bidi_component")
    assert not app.selectbox
    assert not app.toggle
    app.session_state[page.CONTROLS] = True
    app.run()
    assert app.selectbox(key="picker").value is None
    assert app.toggle(key=state.PRESENT).value is False


def test_every_figure_stands_with_its_source(app: AppTest):
    app.session_state["sources"] = True  # unfolded
    app.run()
    table = sources_of(app)
    story = catalogue.timeline()
    for entry in story.ilsvrc:
        assert f"{entry.top5_error.value:g} %" in table
    rows = [line for line in table.splitlines()[2:] if line]
    assert all(line.count("|") == 4 and line.split("|")[3].strip() for line in rows)
    assert any("ResNet" in line and "25.6 M" in line for line in rows)


@pytest.mark.parametrize("families", ["residual,convnext", "nonsense", ",", "<script>"])
def test_a_filter_in_the_address_is_taken_or_ignored(app: AppTest, families: str):
    app.query_params["families"] = families
    app.run()
    assert not app.exception


def test_choosing_on_the_timeline_opens_the_architecture(app: AppTest):
    app.run()
    app.selectbox(key="picker").set_value("bovw_svm").run(timeout=120)
    assert not app.exception
    assert any("HOG" in title.value for title in app.title)
