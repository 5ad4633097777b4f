"""Home: the timeline from 1998 to 2023, ceiling by ceiling."""

import streamlit as st

from explorer import catalogue
from explorer.serving import warmup
from explorer.ui.frame import page, prefetch, state
from explorer.ui.kit import explain, formatting
from explorer.ui.timeline import component

KEY = "timeline"
FAMILIES = "families"

here = page.begin()


def opened() -> None:  # the frame sees the choice and goes to its page
    state.choose(st.session_state[KEY].open)


def filtered() -> None:
    families = st.session_state[KEY].families
    if families:
        st.query_params[FAMILIES] = ",".join(families)
    else:
        st.query_params.pop(FAMILIES, None)


def meant() -> None:
    warmup.start()


chosen = list(filter(None, st.query_params.get(FAMILIES, "").split(",")))
if unknown := [family for family in chosen if family not in catalogue.FAMILIES]:
    state.not_understood(FAMILIES, ",".join(unknown))
component.draw(
    selected=here.entry.id if state.chosen() and here.entry else None,
    families=[family for family in catalogue.FAMILIES if family in chosen],
    dark=here.dark,
    presenting=here.presenting,
    key=KEY,
    on_open=opened,
    on_families=filtered,
    on_intent=meant,
    on_stands=None if page.has_controls() else page.add_controls,
)


def sources() -> None:
    lines = ["| What | Value | Printed in |", "|---|---:|---|"]
    for what, value, source, url in component.citations():
        cited = f"[{formatting.plain(source)}]({url})" if url else formatting.plain(source)
        lines.append(f"| {formatting.plain(what)} | {value} | {cited} |")
    st.markdown("\n".join(lines))


if page.has_controls():
    explain.folded("Where the numbers come from", sources, key="sources")
    prefetch.later()
