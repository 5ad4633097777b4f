"""Asking a shared network from a lab's page, once a visit: going back to the last choices costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.ui.kit.formatting import plain

if TYPE_CHECKING:
    from explorer.networks import Network

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


def ask(place: str, weights_id: str, key: tuple[Hashable, ...], look: Callable[[Network], T], says: str) -> T:
    """`look(network)` under a lease, `once` for these choices; `says` stands beside the spinner meanwhile.

    Where the network cannot be had or cannot be looked at, the page says why and stops.
    """
    from explorer.serving import pool

    def compute() -> T:
        with st.spinner(says):
            return pool.shared().run(weights_id, look).value

    try:
        return once(place, (weights_id, *key), compute)
    except (RuntimeError, ValueError) as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
