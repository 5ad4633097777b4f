"""A tiny picture set with two classes that a network can tell apart, as folders of PNGs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 training and 20 test pictures of 32 x 32: class "dark" below mid grey, class "light" above."""
    root = tmp_path_factory.mktemp("tiny")
    noise = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 10)):
        for name, low in (("dark", 0), ("light", 128)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = noise.integers(low, low + 128, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index:03}.png")
    return root
