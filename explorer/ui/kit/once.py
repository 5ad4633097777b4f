"""What a visit has found, kept in it alone: going back to the last choices costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from explorer.ui.kit.ending import end
from explorer.ui.kit.formatting import plain

if TYPE_CHECKING:
    from explorer.networks import Network

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
_KEPT = 12


class Kept(OrderedDict[K, T]):
    """What a visit has found at one place, the latest last; the eldest leave."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: T) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


def kept(place: str, most: int = _KEPT) -> Kept[Any, Any]:
    """Of this visit; nothing of it is shared."""
    found: Kept[Any, Any] = st.session_state.setdefault(f"_once_{place}", Kept(most))
    return found


def once(place: str, key: Hashable, compute: Callable[[], T], most: int = _KEPT) -> T:
    """`compute()` for this key of `place`, or what it gave before in this visit; `most` are kept."""
    found: Kept[Hashable, T] = kept(place, most)
    if key in found:
        found.move_to_end(key)
    else:
        found[key] = compute()
    return found[key]


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
        end()
