"""The block diagram by stage as a Streamlit component: laid out here, painted as SVG, clicks come back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.ui.kit import components, theme
from explorer.ui.volumes.layout import Layout, Placed, StageCard, layout

# From a telephone to a projector; the browser takes the widest that fits.
WIDTHS = (340, 460, 580, 700, 820, 940, 1060, 1200, 1320, 1440, 1600, 1760)

_component = components.declare(
    "stage_diagram",
    html='<div class="diagram"><div class="stage"></div><ul class="legend"></ul>'
    '<div class="tip" role="tooltip" hidden></div></div>',
    css=theme.asset("volumes/component.css"),
    js=theme.asset("volumes/browser.js"),
)


def draw(
    cards: Sequence[StageCard],
    *,
    label: str,
    selected: str | None,
    colours: Mapping[str, str],
    legend: Sequence[tuple[str, str]],
    notes: Sequence[str] = (),
    key: str,
    on_choice: Callable[[], None],
) -> None:
    """Paint the cards; a click puts a stage's id under `st.session_state[key].stage`, then calls `on_choice`.

    `colours` holds a CSS colour for each kind, `legend` the kinds in use with their names in order.
    """
    _component(
        key=key,
        data={
            "label": label,
            "selected": selected,
            "colours": dict(colours),
            "legend": [list(each) for each in legend],
            "notes": list(notes),
            **geometry(cards),
        },
        on_stage_change=on_choice,
    )


def geometry(cards: Sequence[StageCard]) -> dict[str, Any]:
    """Cards and their layouts for every width, as the browser reads them; equal layouts once."""
    layouts = {made.width: made for made in (layout(cards, width) for width in WIDTHS)}
    return {
        "cards": [_card(card) for card in cards],
        "layouts": [_layout(layouts[width]) for width in sorted(layouts)],
    }


def _card(card: StageCard) -> dict[str, Any]:
    title = f"{card.name} × {card.repeats}" if card.repeats > 1 else card.name
    spoken = "; ".join(f"{what} {amount}" for what, amount in card.lines)
    return {
        "id": card.id,
        "title": title,
        "label": f"{title}: {spoken}",
        "lines": [list(line) for line in card.lines],
        "kind": card.main_kind,
        "skip": card.skip,
        "port": card.port,
    }


def _layout(made: Layout) -> dict[str, Any]:
    return {
        "width": made.width,
        "height": made.height,
        "cards": [_placed(each) for each in made.cards],
        "arrows": made.arrows,
    }


def _placed(each: Placed) -> dict[str, Any]:
    return {
        "box": [each.box.x, each.box.y, each.box.width, each.box.height],
        "flowY": each.flow_y,
        "labels": [[line.text, line.x, line.y, line.size, line.style, line.anchor] for line in each.labels],
        "bars": [[bar.box.x, bar.box.y, bar.box.width, bar.box.height, bar.kind] for bar in each.bars],
        "volume": each.volume,
        "curves": each.curves,
    }
