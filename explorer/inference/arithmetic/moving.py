"""Where a number was before an operation that only moves numbers: views, slices, joins, padding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from explorer.inference.arithmetic.gathering import Index
from explorer.inference.watching import KeptCall


def origin(call: KeptCall, index: Index, part: int) -> tuple[int, Index] | None:
    """Where an operation that only moves numbers took the one at `index` from: (place among its operands,
    index there), None for what it has put in itself. It is done again with the numbers' own places in their
    stead, counted from 1.
    """
    starts: dict[int, int] = {}
    count = 1

    def places(place: int, tensor: Tensor) -> Tensor:
        nonlocal count
        if not tensor.is_floating_point():
            return tensor
        starts[place], count = count, count + tensor.numel()
        return torch.arange(starts[place], count, dtype=torch.float64).reshape(tensor.shape)

    padded = {"value": 0.0} if call.arguments.get("value") is not None else {}
    moved = replace(call, arguments={**call.arguments, **padded}).again(places)
    found = int((moved if isinstance(moved, Tensor) else moved[part])[index])
    if not found:
        return None
    place = max((place for place, start in starts.items() if start <= found), key=starts.__getitem__)
    shape = call.reads[place].shape
    return place, tuple(int(each) for each in np.unravel_index(found - starts[place], tuple(shape)))
