"""torchvision's published counts, every classification weight entry: parameters exactly, MACs to 0.5 %."""

import pytest
from torchvision import models

from explorer.analysis import trace

ENTRIES = [
    (name, entry.name)
    for name in models.list_models(module=models)
    for entry in models.get_model_weights(name)
]


def test_there_are_115_entries() -> None:
    assert len(ENTRIES) == 115


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_counts_are_the_published_ones(name: str, entry: str) -> None:
    weights = models.get_model_weights(name)[entry]
    (size,) = weights.transforms().crop_size
    traced = trace(f"torchvision:{name}", size)
    assert traced.params == weights.meta["num_params"]
    # Published in G to three decimals: for the two smallest networks the rounding alone is more than 0.5 %.
    assert traced.macs / 1e9 == pytest.approx(weights.meta["_ops"], rel=0.005, abs=0.0005)
    assert traced.uncounted == ()
