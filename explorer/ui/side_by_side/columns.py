"""Three or four networks beside each other: a column each, stages of one scale in one row.

Two have room for their differences between them (`view.table`); here they fold away under each card.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from explorer.ui.diagram.svg import variables
from explorer.ui.side_by_side import view
from explorer.ui.side_by_side.view import Side

if TYPE_CHECKING:
    from explorer.analysis.comparing.alignment import Scale


def table(sides: Sequence[Side], scales: Sequence[Scale]) -> str:
    """HTML; everything in it is text."""
    most = max((view.work(card, of) for of in sides for card in of.cards.values()), default=0) or 1.0
    colours = variables(None)
    style = ";".join(f"--{name}:{colours[name]}" for name in view.SHOWN)
    heads = "".join(f"{view.head(of)}" for of in sides)
    body = "".join(_row(sides, scale, most) for scale in scales)
    kinds = {kind for of in sides for card in of.cards.values() for kind in card.macs_by_kind}
    return (
        f'<div class="side-by-side columns" style="{escape(style)}"><table>'
        f"<caption>{escape(', '.join(of.title for of in sides))}, stage by stage</caption>"
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f"{view.legend(kinds)}</div>"
    )


def _row(sides: Sequence[Side], scale: Scale, most: float) -> str:
    cells = "".join(
        view.cell(of, node, most, _folded(differences))
        for of, node, differences in zip(sides, scale.nodes, scale.differences, strict=True)
    )
    return f'<tr><th scope="row">{view.grid(scale.resolution)}</th>{cells}</tr>'


def _folded(differences: Sequence[str]) -> str:
    """Against the first network of the row; the number shows, the sentences open on a click."""
    if not differences:
        return ""
    told = "".join(f"<li>{view.sentence(each)}</li>" for each in differences)
    number = f"{len(differences)} difference{'s' if len(differences) > 1 else ''}"
    return f'<details class="between"><summary>{number}</summary><ul>{told}</ul></details>'
