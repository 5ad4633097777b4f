"""Stacked bars of shares in HTML: they stand with the page; a chart library would first have to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from explorer.ui.kit import formatting, theme

_LABELLED = 0.07  # a share narrower than this holds no name that could be read


@dataclass(frozen=True)
class Part:
    """One coloured piece of a bar: a kind of layer, a stage, a use of memory. colour: "#RRGGBB"."""

    name: str
    amount: float
    colour: str


def show(
    measures: Mapping[str, Sequence[Part]], *, amount: Callable[[float], str] = formatting.exact
) -> None:
    """One bar a measure on the page. amount: how an amount is written in full."""
    theme.apply("kit/bars.css")
    st.html(stacked(measures, amount))


def stacked(measures: Mapping[str, Sequence[Part]], amount: Callable[[float], str]) -> str:
    """One bar of 100 % for each measure, such as parameters above MACs, and one legend for all of them.

    The larger shares are named in the bar; all stand with their amounts in a tooltip and in the bar's label.
    """
    rows = "".join(_row(measure, parts, amount) for measure, parts in measures.items())
    colours = {part.name: part.colour for parts in measures.values() for part in parts}
    legend = "".join(
        f'<li><i style="background:{colour}"></i>{escape(name)}</li>' for name, colour in colours.items()
    )
    return f'<div class="bars">{rows}<ul>{legend}</ul></div>'


def _row(measure: str, parts: Sequence[Part], amount: Callable[[float], str]) -> str:
    total = sum(part.amount for part in parts)
    told = {part.name: f"{part.name}: {amount(part.amount)}" for part in parts}
    if total:
        told = {part.name: f"{told[part.name]} ({formatting.share(part.amount, total)})" for part in parts}
    pieces = "".join(_piece(part, total, told[part.name]) for part in parts if part.amount)
    label = escape(f"{measure}. {'; '.join(told.values())}")
    head = f"<span>{escape(measure)}</span>" if measure else ""
    return f'<div class="row">{head}<div class="bar" role="img" aria-label="{label}">{pieces}</div></div>'


def _piece(part: Part, total: float, told: str) -> str:
    name = ""
    if part.amount >= _LABELLED * total:
        name = f"<b>{escape(part.name)} {formatting.share(part.amount, total)}</b>"
    style = f"flex-grow:{part.amount / total:.6f};background:{part.colour};color:{theme.ink_on(part.colour)}"
    return f'<span style="{style}" title="{escape(told)}">{name}</span>'
