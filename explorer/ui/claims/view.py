"""The claims page: counts by verdict, filters, the table of claims, and one claim opened beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import catalogue
from explorer.catalogue.claims import TOPICS, Claim, claims
from explorer.labs.claims.verdicts import ERROR, VERDICTS
from explorer.ui.claims import running
from explorer.ui.claims.words import expectation, measurement, number
from explorer.ui.frame import links, state
from explorer.ui.frame.page import Page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, fields, theme
from explorer.ui.kit.formatting import plain

if TYPE_CHECKING:
    from explorer.labs.claims.results import Result

VERDICT, SOURCE, TOPIC, FIND, CLAIM = "verdict", "source", "topic", "find", "claim"
_ALL = "All topics"
START: Mapping[str, Any] = MappingProxyType({VERDICT: [], SOURCE: "", TOPIC: _ALL, FIND: "", CLAIM: ""})
_WAITING = "waiting"
_ROW_PIXELS = 84  # four lines, of the longest claim on a phone
_WIDTHS: Mapping[str, int] = MappingProxyType({"Verdict": 96, "Claim": 222, "Printed": 118, "Measured": 118})


@dataclass(frozen=True)
class Look:
    """How a verdict shows: sign and word in the table, icon and colour name in text, counted words."""

    cell: str
    icon: str
    colour: str
    counted: str


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "holds": Look("✓ holds", ":material/check_circle:", "green", "hold"),
        "rounded": Look("≈ rounded", ":material/adjust:", "blue", "rounded"),
        "depends on the protocol": Look("± depends", ":material/call_split:", "orange", "depend"),
        "wrong": Look("✗ wrong", ":material/cancel:", "red", "wrong"),
        ERROR: Look("! error", ":material/error:", "violet", "could not be checked"),
        _WAITING: Look("… waiting", ":material/hourglass_empty:", "gray", "waiting"),
    }
)
_MEANING = (
    "**Holds**: equal. **Rounded**: what was measured, rounded or cut off, gives the digits printed: "
    "25.56 may be printed as 25.6, 26 or 25, but not as 27. Where the source itself says about, ~ or ≈, one "
    "unit of the last digit is allowed either way. "
    "**Depends on the protocol**: right in one way of measuring, not in another, and the source does not say "
    "which. **Wrong**: in no way we know. The program decides, by this rule alone."
)


def summary(slot: DeltaGenerator) -> None:
    """How many claims have come to which verdict, and with what they were checked."""
    counts = Counter(result.verdict for result in running.done().values())
    counts[_WAITING] = len(claims()) - counts.total()
    badges = [
        f":{look.colour}[{look.icon} **{counts[verdict]}** {look.counted}]"
        for verdict, look in LOOKS.items()
        if counts[verdict]
    ]
    slot.markdown(f"**{len(claims())} claims** &emsp; " + " &emsp; ".join(badges))
    slot.caption(running.checked_with())


def filters() -> tuple[list[Claim], list[Claim]]:
    """The row of filters; the claims that pass, and those that would if their verdict were the wanted one."""
    fields.bound(CLAIM, SOURCE)
    verdict_slot, source_slot, topic_slot, find_slot, reset_slot = st.columns(
        [4.6, 2.6, 2, 2.2, 1.4], vertical_alignment="bottom"
    )
    verdicts = verdict_slot.pills(
        "Verdict", VERDICTS, selection_mode="multi", key=VERDICT, bind="query-params", help=_MEANING
    )
    documents = catalogue.sources().documents
    source = state.one_of(SOURCE, documents)
    fields.select(
        source_slot,
        "Source",
        SOURCE,
        ["", *documents],
        shown=source,
        choose=lambda key: st.session_state.update({SOURCE: key}),
        format_func=lambda key: documents[key].label if key else "All sources",
    )
    topic = topic_slot.selectbox("Topic", [_ALL, *TOPICS], key=TOPIC, bind="query-params")
    text = find_slot.text_input(
        "Find", key=FIND, bind="query-params", placeholder="VGG, crop, kernel", icon=":material/search:"
    )
    with reset_slot:
        fields.reset(START)
    wanted = matching(list(claims().values()), source, topic if topic in TOPICS else "", text)
    return with_verdict(wanted, running.done(), verdicts), wanted


def matching(of: Sequence[Claim], document: str, topic: str, text: str) -> list[Claim]:
    """document: its id. An empty choice lets everything through; every word of `text` must stand somewhere in
    the claim.
    """
    words = text.lower().split()
    return [
        claim
        for claim in of
        if document in ("", claim.document.id)
        and (not topic or claim.topic == topic)
        and all(word in _searched(claim) for word in words)
    ]


def with_verdict(of: Sequence[Claim], results: Mapping[str, Result], verdicts: Sequence[str]) -> list[Claim]:
    """Those that came to one of these verdicts, or could not be checked; all where none is chosen."""
    return [claim for claim in of if not verdicts or _verdict(claim, results) in (*verdicts, ERROR)]


def _searched(claim: Claim) -> str:
    parts = (claim.id, claim.says, claim.quote, claim.where, claim.topic, claim.subject, claim.comment)
    return " ".join(parts).lower()


def _verdict(claim: Claim, results: Mapping[str, Result]) -> str:
    return results[claim.id].verdict if claim.id in results else _WAITING


def chosen(shown: Sequence[Claim]) -> Claim | None:
    """The claim of the link, wherever it stands; without one, or with nonsense, the first that is shown."""
    if asked := state.one_of(CLAIM, claims()):
        return claims()[asked]
    return shown[0] if shown else None


def table(shown: Sequence[Claim], opened: Claim | None, here: Page) -> None:
    """One row a claim; a click opens it."""
    if not shown:
        st.info("No claim passes these filters; press Reset, or wait for the checks.", icon=":material/info:")
        return
    results = running.done()
    rows = pd.DataFrame([_row(claim, results.get(claim.id)) for claim in shown])
    colours = {look.cell: theme.VERDICTS[name].on(dark=here.dark) for name, look in LOOKS.items()}
    styled = rows.style.map(lambda text: f"color: {colours[text]}; font-weight: 600", subset=["Verdict"])
    ids = tuple(claim.id for claim in shown)
    # The key tells the rows apart: a selection is kept by its number.
    key = f"claims_table_{hash(ids):x}"
    at = [(ids.index(opened.id), "Claim")] if opened and opened.id in ids else []
    grown = here.window.rem / theme.REM  # a presentation enlarges the words, but no length of a table
    st.dataframe(
        styled,
        key=key,
        hide_index=True,
        height="stretch",
        row_height=round(_ROW_PIXELS * grown),
        column_order=tuple(_WIDTHS),
        on_select=lambda: _open(key, ids),
        selection_mode="single-cell",
        selection_default={"selection": {"cells": at}},
        column_config={
            name: st.column_config.TextColumn(width=round(width * grown)) for name, width in _WIDTHS.items()
        },
        alt="Claims with their verdict, what was printed and what was measured",
    )


def _row(claim: Claim, result: Result | None) -> dict[str, str]:
    verdict = result.verdict if result else _WAITING
    return {
        "Verdict": LOOKS[verdict].cell,
        "Claim": claim.says,
        "Printed": expectation(claim.expected),
        "Measured": _measured(result) if result else "",
        "Source": claim.source,
        "Topic": claim.topic,
        "Basis": result.basis if result else "",
        "Id": claim.id,
    }


def _measured(result: Result) -> str:
    """In the unit of what was printed; several ways side by side."""
    return result.error or " | ".join("; ".join(map(number, each.values)) for each in result.findings)


def _open(key: str, ids: tuple[str, ...]) -> None:
    """From the table: the claim whose row was clicked."""
    cells = st.session_state[key].selection.cells
    st.session_state[CLAIM] = ids[cells[0][0]] if cells else ""


def download(slot: DeltaGenerator, shown: Sequence[Claim]) -> None:
    """All that is known of the claims shown, as a file."""
    results = running.done()
    rows = [
        {**_row(claim, results.get(claim.id)), "Quotation": claim.quote, "Why": claim.comment}
        for claim in shown
    ]
    slot.download_button(
        "CSV", pd.DataFrame(rows).to_csv(index=False).encode(), file_name="claims.csv", mime="text/csv",
        icon=":material/download:", on_click="ignore", help="The claims shown.",
    )  # fmt: skip


def one(claim: Claim) -> None:
    """A claim opened: what is said where, what was printed and measured, and why the verdict is as it is."""
    with st.container(border=True, key="claim_opened"):
        result = running.result(claim.id)
        look = LOOKS[result.verdict]
        st.markdown(f":{look.colour}[{look.icon} **{result.verdict.capitalize()}**]")
        st.markdown(f"**{plain(claim.says)}**")
        st.markdown(f"“{plain(claim.quote)}”  \n:gray[{plain(claim.document.label)}, {plain(claim.where)}]")
        st.markdown(plain(result.error) if result.error else f":material/balance: {plain(claim.comment)}")
        st.markdown("\n".join(_comparison(claim, result)))
        if claim.see:
            links.button(claim.see, f"See it on the page {links.title(claim.see)}", key=f"see_{claim.id}")
        wait_for_imports(st.container())
        _code(claim)
        st.caption(f"`{claim.id}`, {running.provenance(claim.id)}")


def _code(claim: Claim) -> None:
    from explorer.labs.claims.checking import (
        functions,  # brings torch, which a kept verdict does not wait for
    )

    explain.code(*functions(claim))


def _comparison(claim: Claim, result: Result) -> list[str]:
    """Lines of a Markdown table: printed on top, then each way with how it was measured."""
    lines = [f"| Printed | {plain(expectation(claim.expected))} | |", "|:--|:--|:--|"]
    for each in result.findings:
        name = plain(each.way.protocol) or "Measured"
        value = plain(measurement(each.values, claim.expected))
        lines.append(f"| {name} | **{value}** | {each.measured.basis}: {plain(each.measured.how)} |")
    return lines
