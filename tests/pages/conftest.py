"""Opening the Architecture page as a link would."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import state
from tests.conftest import REPOSITORY

PATIENCE = 180  # seconds: the first page imports torch, on whatever machine this is


@pytest.fixture
def open_page():
    """`open_page(arch="vgg16", size="160")` opens the page as that link would."""

    def run(**link: str) -> AppTest:
        app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=PATIENCE)
        app.run()  # the start page: only then does the test know the others
        # Not through the address: this harness trips over a picker that holds a name it does not list.
        app.session_state[state.ARCH] = link.pop("arch")
        app.query_params.update(link)
        return app.switch_page("pages/architecture.py").run()

    return run
