"""Two networks beside each other on the Architecture page: their stages by scale, and what differs.

The second network and its size stand in the URL through fields that are not shown (`?beside=resnet101`,
`?beside_size=288`). A text table of cards, not a picture: it scales with the type and a screen reader reads
it row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from explorer import catalogue
from explorer.ui.diagram.svg import variables
from explorer.ui.frame import picker
from explorer.ui.kit import fields, theme
from explorer.ui.kit.formatting import count, exact, plain
from explorer.ui.network import choices as architecture_choices
from explorer.ui.network import sheet as architecture_view

if TYPE_CHECKING:
    from explorer.analysis.comparing.alignment import AlignedStages
    from explorer.analysis.structure.hierarchy import Node
    from explorer.networks import Reference
    from explorer.ui.network.sheet import Sheet, Subject
    from explorer.ui.volumes.layout import StageCard

BESIDE, SIZE = "beside", "beside_size"
_MENU, _SIZE_FIELD = "beside_menu", "beside_size_field"
_TABLE_HEIGHT = 480  # pixels kept while the second network is traced
_STEP = 32  # pixels; every catalogued convolutional network's total stride divides it
SHOWN = ("card", "edge", "line", "muted", "accent", "box0", "text")


@dataclass(frozen=True)
class Side:
    """One of the two: its name, the side of its input in pixels, its stages' cards by name, its totals."""

    title: str
    pixels: int
    cards: Mapping[str, StageCard]
    params: int
    macs: int
    depth: int


def side(title: str, sheet: Sheet) -> Side:
    stats = sheet.stats
    return Side(
        title,
        int(sheet.trace.input_shape[-1]),
        {card.id: card for card in sheet.cards},
        stats.params,
        stats.macs,
        stats.depth,
    )


def controls(about: Subject, arch: str) -> None:
    """The menu of the second network and the field of its size; before `show`."""
    theme.apply("side_by_side/view.css")
    fields.bind_fields("beside", {BESIDE: "Beside", SIZE: "Its image size"})
    _menu(_name(about, arch), arch)
    _size_field()


def show(shown: Sheet, about: Subject, arch: str) -> None:
    """The table. What a link says and nothing knows is said and ignored."""
    from explorer.analysis.comparing.alignment import align

    reference, title = _second(_name(about, arch), about, arch)
    size = _size(reference, shown, about)
    try:
        other = architecture_view.waited_for(title, reference, size, _TABLE_HEIGHT)
    except ValueError as refused:
        st.error(plain(str(refused)), icon=":material/error:")
        return
    left = side(about.title.partition(" · ")[0], shown)
    rows = align(shown.hierarchy, other.hierarchy)
    st.html(table(left, side(title, other), rows))


def table(left: Side, right: Side, rows: Sequence[AlignedStages]) -> str:
    """The two networks as an HTML table; everything in it is text."""
    most = max(work(each, of) for of in (left, right) for each in of.cards.values()) or 1.0
    colours = variables(None)
    style = ";".join(f"--{name}:{colours[name]}" for name in SHOWN)
    body = "".join(_row(left, right, row, most) for row in rows)
    kinds = {kind for of in (left, right) for card in of.cards.values() for kind in card.macs_by_kind}
    return (
        f'<div class="side-by-side" style="{escape(style)}"><table>'
        f"<caption>{escape(left.title)} beside {escape(right.title)}, stage by stage</caption>"
        f'<thead><tr><td></td>{head(left)}<td class="ratios">{_ratios(left, right)}</td>{head(right)}</tr>'
        f"</thead><tbody>{body}</tbody></table>{legend(kinds)}</div>"
    )


def head(of: Side) -> str:
    return (
        f'<th scope="col"><strong>{escape(of.title)}</strong> <span>at {of.pixels} px</span>'
        f'<div class="totals"><b title="{exact(of.params)}">{count(of.params)}</b> params · '
        f'<b title="{exact(of.macs)}">{count(of.macs)}</b> MACs · depth <b>{of.depth}</b></div></th>'
    )


def _ratios(left: Side, right: Side) -> str:
    """How much more, or less, the right one has: "params × 1.74"."""
    lines = [
        f"<div>{what} <b>{ratio(getattr(left, what), getattr(right, what))}</b></div>"
        for what in ("params", "macs")
    ]
    return "".join(lines).replace("macs", "MACs")


def ratio(left: float, right: float) -> str:
    """`× 1.74`, `÷ 20.9`; `the same`; a dash where there is nothing to divide by."""
    if left == right:
        return "the same"
    if not left or not right:
        return "–"
    return f"× {right / left:.3g}" if right > left else f"÷ {left / right:.3g}"


def _row(left: Side, right: Side, row: AlignedStages, most: float) -> str:
    matched = row.left is not None and row.right is not None
    words = "differs" if row.differences else "alike"
    told = row.differences if matched else (f"only in {(left if row.left else right).title}",)
    return (
        f'<tr class="{words if matched else "alone"}"><th scope="row">{grid(row.resolution)}</th>'
        f"{cell(left, row.left, most)}<td class='between'>{_between(told)}</td>"
        f"{cell(right, row.right, most)}</tr>"
    )


def grid(resolution: tuple[int, int]) -> str:
    return "no grid" if resolution == (1, 1) else f"{resolution[0]} × {resolution[1]}"


def _between(differences: Sequence[str]) -> str:
    if not differences:
        return '<span class="same">alike</span>'
    return f"<ul>{''.join(f'<li>{sentence(each)}</li>' for each in differences)}</ul>"


def sentence(text: str) -> str:
    """What it is about in bold."""
    what, colon, rest = text.partition(": ")
    return f"<b>{escape(what)}</b> {escape(rest)}" if colon else escape(text)


def cell(of: Side, node: Node | None, most: float, below: str = "") -> str:
    """A stage as a card. most: MACs of a full bar. below: HTML under the bar."""
    if node is None:
        return '<td><div class="stage none">no counterpart</div></td>'
    card = of.cards[node.label]
    blocks = f"{card.repeats} × {card.block}" if card.block else ""
    parts = "".join(
        f'<i style="width:{100 * share * of.macs / most:.2f}%;{_fill(kind)}"></i>'
        for kind, share in card.macs_by_kind.items()
        if kind in theme.ROLES
    )
    return (
        f'<td><div class="stage"><p><strong>{escape(card.name)}</strong> <span>{escape(blocks)}</span></p>'
        f"<p>{escape(card.shape)} · {card.params_share} params · {card.macs_share} MACs</p>"
        f'<div class="work" title="MACs">{parts}</div>{below}</div></td>'
    )


def work(card: StageCard, of: Side) -> float:
    return sum(card.macs_by_kind.values()) * of.macs


def legend(kinds: set[str]) -> str:
    items = "".join(
        f'<li><i style="{_fill(kind)}"></i>{escape(theme.ROLE_NAMES[kind])}</li>'
        for kind in theme.ROLES
        if kind in kinds
    )
    return f'<ul class="legend"><li>Bars: MACs, on one scale</li>{items}</ul>'


def _fill(kind: str) -> str:
    colour = theme.ROLES[kind]
    return f"background:light-dark({colour.light}, {colour.dark})"


def _name(about: Subject, arch: str) -> str:
    """The second network the link asks for; without one what the first came from, else itself."""
    asked = (st.session_state.get(BESIDE) or "").strip()
    if asked:
        return asked
    known = catalogue.architectures()
    came_from = about.entry.came_from if about.entry is not None else ()
    return next((each for each in came_from if known[each].builders), arch)


def _menu(name: str, arch: str) -> None:
    labels = {arch: "This network at another size"} | {
        value: label for value, label in picker.options().items() if value != arch and _buildable(value)
    }
    st.session_state[_MENU] = name
    st.selectbox(
        "Beside it",
        list(labels),
        index=None,
        key=_MENU,
        format_func=lambda value: labels.get(value, value),
        on_change=_chosen,
        accept_new_options=True,
        required=True,
        label_visibility="collapsed",
        icon=":material/compare:",
        width=430,
    )


def _size_field() -> None:
    st.session_state[_SIZE_FIELD] = wanted_size(st.session_state.get(SIZE))[0]
    st.number_input(
        "Its image size",
        min_value=1,
        max_value=architecture_choices.LARGEST,
        step=_STEP,
        value=None,
        key=_SIZE_FIELD,
        on_change=_sized,
        placeholder="Its image size",
        label_visibility="collapsed",
        icon=":material/straighten:",
        width=230,
    )


def _buildable(value: str) -> bool:
    known = catalogue.architectures()
    return value not in known or bool(known[value].builders)


def _chosen() -> None:
    st.session_state[BESIDE] = picker.listed(st.session_state[_MENU] or "")
    st.session_state[SIZE] = ""


def _sized() -> None:
    st.session_state[SIZE] = str(st.session_state[_SIZE_FIELD] or "")


def wanted_size(text: str | None) -> tuple[int | None, str]:
    """The side in pixels that a link's text means, and a sentence where it means none."""
    text = (text or "").strip()
    if not text:
        return None, ""
    if (size := fields.whole_number(text, 1, architecture_choices.LARGEST)) is not None:
        return size, ""
    return None, (
        f"The link asks for an image size of “{text[:40]}”; a size is a whole number from 1 to "
        f"{architecture_choices.LARGEST}, so this one is left out."
    )


def _second(name: str, about: Subject, arch: str) -> tuple[Reference, str]:
    """What the name stands for and how to call it; for a name nothing knows, the network itself."""
    from explorer import networks

    itself = about.title.partition(" · ")[0]
    assert about.reference is not None
    if name == arch:
        return about.reference, itself
    try:
        reference = networks.resolve(name)
    except ValueError as unknown:  # an idea from before networks, or a name that no builder knows
        st.warning(
            f"{plain(str(unknown))} {plain(itself)} stands beside itself instead.", icon=":material/help:"
        )
        return about.reference, itself
    label = picker.options().get(name, "")
    return reference, label.partition(" · ")[0] or reference.title


def _size(reference: Reference, shown: Sheet, about: Subject) -> int | None:
    """The size asked for; a network beside itself without one stands there larger by two sevenths."""
    size, refused = wanted_size(st.session_state.get(SIZE))
    if refused:
        st.warning(plain(refused), icon=":material/help:")
    own = architecture_view.own_size(reference)
    if size is None and str(reference) == str(about.reference):
        size = larger(int(shown.trace.input_shape[-1]))
    return None if size == own else size


def larger(pixels: int) -> int:
    """224 -> 288, as networks are often tested larger than they were trained."""
    return _STEP * max(1, round(pixels * 9 / 7 / _STEP))
