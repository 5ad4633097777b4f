"""What the networks of the published tables need of memory, and the maps they offer, read off their traces
once by `explorer.analysis.needs` and shipped.
"""

from __future__ import annotations

from functools import cache

from explorer.catalogue.counts import Counts, read
from explorer.catalogue.sources import DATA

FILE = DATA / "needs.csv"
STRIDES = (4, 8, 16, 32)
BUFFERS, AT_INFERENCE, IN_TRAINING = "buffer_bytes", "inference_bytes", "training_bytes"
CHANNELS = {stride: f"stride_{stride}" for stride in STRIDES}

# In float32, of one image: the running statistics; the most that is alive at once; what autograd keeps.
# Then the channels of the last stage at each stride, 0 where no stage works there.
FIELDS = (BUFFERS, AT_INFERENCE, IN_TRAINING, *CHANNELS.values())


@cache
def needs() -> Counts:
    """The shipped table, read once."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return read(file, FIELDS)
