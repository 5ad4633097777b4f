"""What is folded away under a figure, opened."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from explorer.ui.kit import explain
    from explorer.ui.kit.ending import end

    def fill() -> None:
        st.error("It cannot be shown.")
        end()

    st.session_state.setdefault("folded", True)
    explain.folded("Opened", fill, key="folded")
    st.markdown("below")


def test_what_cannot_be_filled_says_so_and_the_page_goes_on():
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert [each.value for each in app.error] == ["It cannot be shown."]
    assert [each.value for each in app.markdown] == ["below"]
