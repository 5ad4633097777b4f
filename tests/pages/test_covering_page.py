"""The page on covering a photo as a visitor meets it."""

from functools import partial

import pytest

from explorer.labs import covering
from tests.pages import opening

pytestmark = pytest.mark.usefixtures("only_the_zoo")


opened = partial(opening.opened, "pages/covering.py")


def said(app) -> str:
    return next(each.value for each in app.markdown if "of the photo is covered" in each.value)


def test_it_opens_with_what_the_map_names_covered():
    app = opened()
    assert said(app).startswith("**12.1")
    assert app.session_state["cover"] == ""


def test_a_proposal_covers_and_stands_in_the_link():
    app = opened()
    app.button(key="cover As much, anywhere").click().run()
    assert not app.exception
    assert app.session_state["cover"] == covering.written(covering.anywhere(0.12))
    app.button(key="cover Nothing").click().run()
    assert said(app).startswith("**0")
    assert app.session_state["cover"] == "nothing"


@pytest.mark.parametrize("asked", ["nothing", covering.written(covering.anywhere(0.5))])
def test_a_link_covers_as_it_says(asked):
    share = "0" if asked == "nothing" else "50.0"
    assert said(opened(cover=asked)).startswith(f"**{share}")


@pytest.mark.parametrize("asked", ["zz" * 32, "f" * 5000, "<b>"])
def test_a_link_that_is_no_mask_is_left_out(asked):
    app = opened(cover=asked)
    assert said(app).startswith("**12.1")
    assert any("cover" in each.value for each in app.warning)
