"""What several labs' tests look at."""

import pytest
from PIL import Image

from explorer import networks
from explorer.inference import SAMPLES, decode


@pytest.fixture(scope="module")
def cat() -> Image.Image:
    return decode(SAMPLES["chelsea"].load())


@pytest.fixture(scope="module")
def resnet20() -> networks.Network:
    """With batch norm."""
    return networks.load("zoo:resnet20")


@pytest.fixture(scope="module")
def convnext() -> networks.Network:
    """With layer norm, without dropout."""
    return networks.load("zoo:convnext_cifar")
