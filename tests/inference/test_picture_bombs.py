"""No file under the size cap costs more than 2 s of CPU or 1 GB, whatever it is made of."""

import sys

import pytest

from explorer.inference.images import BYTE_CAP
from tests.inference.picture_bombs import BOMBS, costs


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BOMBS)
def test_the_worst_file_of_its_kind_is_cheap(name):
    data = BOMBS[name]()
    assert len(data) <= BYTE_CAP
    _, peak_bytes, said = costs(data)  # the seconds: `python -m benchmarks.fuzz_pictures --bombs`
    assert not said.startswith("raised")
    assert peak_bytes < 1e9
