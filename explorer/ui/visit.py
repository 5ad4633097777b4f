"""Results of long runs, kept in the visit: going back to the last few choices costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
_KEPT = 12


def once(place: str, key: Hashable, compute: Callable[[], T]) -> T:
    """`compute()` for this key of `place`, or what it gave before in this visit; nothing of it is shared."""
    kept: OrderedDict[Hashable, T] = st.session_state.setdefault(f"_once_{place}", OrderedDict())
    if key not in kept:
        kept[key] = compute()
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def forget(place: str) -> None:
    """From a callback: the next `once` of this place computes again."""
    st.session_state.pop(f"_once_{place}", None)
