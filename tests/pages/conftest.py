"""The Architecture page, opened as a link would."""

from functools import partial

import pytest

from tests.pages import opening


@pytest.fixture
def open_page():
    """`open_page(arch="vgg16", size="160")` opens the page as that link would."""
    return partial(opening.opened, "pages/architecture.py")
