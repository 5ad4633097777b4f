"""What the tests of pictures share."""

import pytest
from PIL import Image

from explorer.inference import SAMPLES, decode


@pytest.fixture(scope="session")
def chelsea() -> Image.Image:
    return decode(SAMPLES["chelsea"].load())
