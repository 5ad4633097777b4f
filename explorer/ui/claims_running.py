"""Claims checked for a page: one after another, in rounds of a second, kept for all visitors of the process.

A result depends on the claims, the code and the installed packages, never on a visitor, so everybody sees
what anybody's visit has checked. A round ends with a rerun, which draws what is new; so a click is heard
between two checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.catalogue.claims import claims

if TYPE_CHECKING:
    from explorer.labs.claims import Result

_STOPPED = "_claims_stopped"
_ROUND = 1.0  # seconds
_one_at_a_time = Lock()  # a second visitor would only repeat the same check beside it


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept(versions: tuple[str, ...]) -> dict[str, Result]:
    """By claim; another version of a package begins anew."""
    return {}


def kept() -> dict[str, Result]:
    from explorer.labs.claims import versions

    return _kept(versions())


def done() -> Mapping[str, Result]:
    """What has been checked so far, in the order of the claims."""
    found = kept()
    return {identifier: found[identifier] for identifier in claims() if identifier in found}


def result(identifier: str) -> Result:
    """The claim's result, checked now unless it was before."""
    from explorer.labs.claims import check

    found = kept()
    with _one_at_a_time:
        if identifier not in found:
            found[identifier] = check(claims()[identifier])
    return found[identifier]


def waiting(first: Iterable[str] = ()) -> list[str]:
    """What has not been checked yet, `first` before the others."""
    found = kept()
    return [identifier for identifier in dict.fromkeys((*first, *claims())) if identifier not in found]


def controls(bar: DeltaGenerator, button: DeltaGenerator) -> None:
    """How far the checks are, and the button to stop them or to go on; nothing once all are done."""
    if not waiting():
        return
    stopped = bool(st.session_state.get(_STOPPED))
    _show(bar, "Stopped at" if stopped else "Checking")
    if stopped:
        button.button(
            "Go on", icon=":material/play_arrow:", key="claims_go_on", on_click=_stop, args=(False,)
        )
    else:
        button.button("Stop", icon=":material/stop:", key="claims_stop", on_click=_stop, args=(True,))


def _show(bar: DeltaGenerator, word: str) -> None:
    count, whole = len(done()), len(claims())
    bar.progress(count / whole, f"{word} {count} of {whole}")


def _stop(stopped: bool) -> None:
    st.session_state[_STOPPED] = stopped


def one_round(bar: DeltaGenerator, first: Iterable[str] = ()) -> None:
    """A second's worth of checks, then the page anew; last line of the page. `bar` as of `controls`."""
    begun, left = perf_counter(), waiting(first)
    if not left or st.session_state.get(_STOPPED):
        return
    for identifier in left:
        result(identifier)
        _show(bar, "Checking")  # here a click of the visitor is heard
        if perf_counter() - begun > _ROUND:
            break
    st.rerun()
