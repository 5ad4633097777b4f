"""What the home page fetches ahead is what Streamlit's own list of files names."""

import pytest

from explorer.ui.frame import prefetch


def test_the_large_scripts_of_the_installed_streamlit_are_found():
    files = prefetch.chunks(prefetch._STATIC / "manifest.json")
    for name in ("PlotlyChart", "DataFrame"):
        assert sum(f"/{name}." in each for each in files) == 1
    assert all((prefetch._STATIC / each).is_file() for each in files)
    assert not any("/index." in each for each in files)  # every page has it already


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"name": "DataFrame"}}'])
def test_a_list_that_says_something_else_names_nothing(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    assert prefetch.chunks(tmp_path / "manifest.json") == ()
    assert prefetch.chunks(tmp_path / "none.json") == ()
