"""Opening a page as a link would, without a browser."""

from streamlit.testing.v1 import AppTest

from explorer.ui.frame import first_picture, state
from tests.conftest import REPOSITORY

PATIENCE = 240  # seconds: the first page imports torch, on whatever machine this is


def opened(script: str, arch: str = "", **parameters: str) -> AppTest:
    """The page of this script with these parameters in its link, on a fresh visit."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=PATIENCE)
    app.run()  # the start page: only then does the test know the others
    if arch:
        # Not through the address: this harness trips over a picker that holds a name it does not list.
        app.session_state[state.ARCH] = arch
    app.session_state[first_picture.STANDS] = True  # no browser here would ever say so
    app.query_params.update(parameters)
    app.switch_page(script).run()
    assert not app.exception
    return app
