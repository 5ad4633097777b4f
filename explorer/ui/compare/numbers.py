"""The stats sheets of up to four networks as one table: values, ratios against the first, the best marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from explorer.ui.diagram.svg import variables
from explorer.ui.kit import formatting, theme
from explorer.ui.side_by_side.view import ratio

if TYPE_CHECKING:
    from explorer.analysis.comparing.comparison import Compared, ComparedQuantity, Quantity
    from explorer.catalogue import Fact
    from explorer.ui.network.several import Chosen

_SHOWN = ("card", "edge", "line", "muted", "accent", "text")
_WRITTEN: Mapping[str, Callable[[float], str]] = {
    "bytes": formatting.size,
    "%": lambda value: f"{value:.2f} %",
    "px": lambda value: f"{value:g} px",
    "images/s": lambda value: f"{formatting.three_digits(value)} images/s",
    "": formatting.count,
}


def table(
    chosen: Sequence[Chosen], compared: Sequence[Compared], rows: Mapping[str, ComparedQuantity]
) -> str:
    """HTML; everything in it is text. A row a quantity, a column a network."""
    from explorer.analysis.comparing.comparison import QUANTITIES

    colours = variables(None)
    style = ";".join(f"--{name}:{colours[name]}" for name in _SHOWN)
    heads = "".join(_head(each, place) for place, each in enumerate(chosen))
    titles = [each.title for each in chosen]
    body = "".join(_row(name, QUANTITIES[name], row, compared, titles) for name, row in rows.items())
    return (
        f'<div class="compared" style="{escape(style)}"><table>'
        f"<caption>{escape(', '.join(each.title for each in chosen))}, number by number</caption>"
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _head(of: Chosen, place: int) -> str:
    family = theme.FAMILIES.get(of.about.entry.family if of.about.entry else "", theme.NEUTRAL)
    told = "the others are measured against it" if place == 0 else ""
    return (
        f'<th scope="col" style="border-color:light-dark({family.light}, {family.dark})">'
        f"<strong>{escape(of.title)}</strong><span>at {of.pixels} px</span>"
        f"<small>{escape(str(of.about.reference))}{' · first' if told else ''}</small></th>"
    )


def _row(
    name: str, quantity: Quantity, row: ComparedQuantity, compared: Sequence[Compared], titles: Sequence[str]
) -> str:
    """titles: of the networks; a narrow window shows them in the cells, which stack there."""
    known = [value for value in row.values if value is not None]
    most = max(known, default=0) if quantity.change == "ratio" else 0
    cells = "".join(
        f'<td data-of="{escape(title)}"{_cell(name, quantity, row, place, most, of)}</td>'
        for place, (of, title) in enumerate(zip(compared, titles, strict=True))
    )
    good = {"less": "↓ better", "more": "↑ better", None: ""}[quantity.better]
    return f'<tr><th scope="row">{escape(quantity.title)}<small>{good}</small></th>{cells}</tr>'


def _cell(name: str, quantity: Quantity, row: ComparedQuantity, place: int, most: float, of: Compared) -> str:
    """The rest of a cell's tag and what stands in it."""
    value = row.values[place]
    if value is None:
        return '><span class="missing">not published</span>'
    mark = '<em title="best of these">best</em>' if place in row.best else ""
    bar = f'<i style="width:{100 * value / most:.1f}%"></i>' if most else ""
    return (
        f' class="{"best" if mark else ""}">'
        f'<b title="{_exact(value, quantity)}">{_text(name, value, quantity)}</b> '
        f'<span class="change">{_change(quantity, row, place)}</span>{mark}'
        f"<small>{escape(_told(name, of))}</small>{bar}"
    )


def _text(name: str, value: float, quantity: Quantity) -> str:
    return f"{value:.0f}" if name in ("year", "depth") else _WRITTEN[quantity.unit](value)


def _exact(value: float, quantity: Quantity) -> str:
    return f"{formatting.exact(value)} {quantity.unit}".strip()


def _change(quantity: Quantity, row: ComparedQuantity, place: int) -> str:
    """Against the first: "× 1.12", "+2.04 points", "+7 years", or why nothing is subtracted; HTML."""
    if row.apart[place]:
        return f"not subtracted: {escape(row.apart[place])}"
    change, value, first = row.changes[place], row.values[place], row.values[0]
    if not place or change is None or value is None or first is None:
        return ""
    if quantity.change == "ratio":
        return ratio(first, value)
    if not change:
        return "the same"
    amount = f"{change:+.2f}" if quantity.unit == "%" else f"{change:+.0f}"
    return f"{amount.replace('-', '−')} {'points' if quantity.unit == '%' else 'years'}"


def _told(name: str, of: Compared) -> str:
    """What stands under a value: how it was measured, or where the view turns global."""
    facts: Mapping[str, Fact | None] = {"weights top1": of.weights, "paper top1": of.paper, **of.speeds}
    fact = facts.get(name)
    if fact is not None:
        return f"{fact.protocol or 'protocol not stated'} · {fact.source}"
    if name in ("params", "macs") and of.stats.deployed:
        return "as trained"
    return of.stats.receptive_field.beyond if name == "receptive_field" else ""


def frame(
    chosen: Sequence[Chosen], compared: Sequence[Compared], rows: Mapping[str, ComparedQuantity]
) -> pd.DataFrame:
    """The same with every digit, for a file."""
    from explorer.analysis.comparing.comparison import QUANTITIES

    lines = []
    for name, row in rows.items():
        quantity = QUANTITIES[name]
        line: dict[str, object] = {
            "quantity": quantity.title,
            "unit": quantity.unit,
            "better": quantity.better,
        }
        columns = zip(chosen, compared, row.values, row.changes, row.apart, strict=True)
        for each, of, value, change, why in columns:
            line[each.name] = value
            line[f"{each.name}: {quantity.change} to the first"] = change
            line[f"{each.name}: note"] = "; ".join(
                part for part in (_told(name, of), why and f"not subtracted: {why}") if part
            )
        lines.append(line)
    return pd.DataFrame(lines)
