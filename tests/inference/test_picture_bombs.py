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
    seconds, peak_bytes, said = costs(data)
    for _ in range(3):  # CPU time grows on a machine that is shared: what it takes is the least of some
        if seconds < 2.0:
            break
        seconds = min(seconds, costs(data)[0])
    assert not said.startswith("raised")
    assert seconds < 2.0
    assert peak_bytes < 1e9
