"""Claims checked for a page: one after another, in rounds of a second, kept for all visitors and on the disk.

A result depends on the claims, the code and the installed packages, never on a visitor, so everybody sees
what anybody's visit has checked, what was checked before the server was started, and until then the verdicts
that come with the app. A round ends with a rerun, which draws what is new; so a click is heard between two
checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from time import perf_counter

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.catalogue.claims import claims
from explorer.labs.claims import kept as kept_results
from explorer.labs.claims.kept import Kept
from explorer.labs.claims.results import Result
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit.formatting import time_left

_STOPPED = "_claims_stopped"
_ROUND = 1.0  # seconds
_TYPICAL = 0.12  # seconds a claim takes on two cores, where it has not been checked here before
_one_at_a_time = Lock()  # a second visitor would only repeat the same check beside it


@st.cache_resource(max_entries=1, show_spinner=False)
def kept() -> dict[str, Kept]:
    """By claim, as they were known when the server first asked."""
    return kept_results.known()


def done() -> Mapping[str, Result]:
    """What has been checked so far, if by an earlier version, in the order of the claims."""
    found = kept()
    return {identifier: found[identifier].result for identifier in claims() if identifier in found}


def current(identifier: str) -> bool:
    """Whether the claim was checked with the code and the packages that are here now."""
    found = kept().get(identifier)
    return found is not None and found.current


def result(identifier: str) -> Result:
    """The claim's result, checked now if it never was."""
    if found := kept().get(identifier):
        return found.result
    wait_for_imports(st.container())
    with st.spinner("Checking this claim, some seconds at most …"):
        return _checked(identifier)


def provenance(identifier: str) -> str:
    """How and with what the claim's result was made, for the line below it."""
    each = kept()[identifier]
    made = f"checked in {each.result.seconds:.1f} s with {kept_results.libraries(each.made_with)}"
    if each.current:
        return f"{made}, on this machine."
    where = (
        "before the code or a package changed" if each.here else "on the machine of the table that is shipped"
    )
    return f"last {made}, {where}; it is being checked anew."


def checked_with() -> str:
    """With what the verdicts of the page were made, and what is here where that is something else."""
    here = kept_results.libraries(kept_results.made_with())
    before = {kept_results.libraries(each.made_with) for each in kept().values() if not each.current}
    if not before:
        return f"Checked here with {here}."
    told = f"Last checked with {' and with '.join(sorted(before))}; being checked anew here"
    return f"{told}." if before == {here} else f"{told}, **with other versions: {here}**."


def _checked(identifier: str) -> Result:
    """As it comes out with what is here now."""
    from explorer.labs.claims.checking import check

    with _one_at_a_time:
        if not current(identifier):
            kept()[identifier] = Kept(check(claims()[identifier]), kept_results.made_with())
    return kept()[identifier].result


def waiting(first: Iterable[str] = ()) -> list[str]:
    """What is still to be checked, `first` before the others."""
    return [identifier for identifier in dict.fromkeys((*first, *claims())) if not current(identifier)]


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
    left, whole = waiting(), len(claims())
    found = done()
    seconds = sum(found[name].seconds if name in found else _TYPICAL for name in left)
    told = f"{word} {whole - len(left)} of {whole}, {time_left(seconds)}"
    bar.progress(1 - len(left) / whole, told)


def _stop(stopped: bool) -> None:
    st.session_state[_STOPPED] = stopped


def one_round(bar: DeltaGenerator, first: Iterable[str] = ()) -> None:
    """A second's worth of checks, then the page anew; last line of the page. `bar` as of `controls`."""
    begun, left = perf_counter(), waiting(first)
    if not left or st.session_state.get(_STOPPED):
        return
    wait_for_imports(bar)
    try:
        for identifier in left:
            _checked(identifier)
            _show(bar, "Checking")  # here a click of the visitor is heard
            if perf_counter() - begun > _ROUND:
                break
    finally:
        kept_results.write(dict(kept()))
    st.rerun()
