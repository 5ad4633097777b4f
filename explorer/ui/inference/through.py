"""The picture through the whole network: columns of maps between the photo and the answer.

Drawn in the browser, where pointing, growing, stepping by key and the scale of the colours ask no server.
Opening a stage, and what feeds a channel, take one more pass each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from explorer.inference import feature_maps
from explorer.ui.inference import number
from explorer.ui.inference.answer import Question, ShownExplanation, Way
from explorer.ui.kit import fields, once
from explorer.ui.kit.formatting import exact, plain, share, three_digits
from explorer.ui.picture import choices
from explorer.ui.picture.parts import component, data_url

if TYPE_CHECKING:
    from explorer.inference.through.columns import Column
    from explorer.inference.through.inputs import Inputs
    from explorer.inference.through.maps import Maps
    from explorer.networks import Network

_ASKED = "_through_asked"
_NARROW = 8  # letters, which the narrowest column can show
_part = component("inference", "through", own_style=True)


def view(asked: Question, answer: ShownExplanation) -> None:
    """A sentence where the network cannot be followed."""
    if answer.way.missing:
        st.caption(f"{plain(answer.way.missing)} So its stages are not drawn.")
        return
    key = (answer.entry.id, asked.picture.digest, asked.opened)
    try:
        way = (
            answer.way
            if answer.way.opened == asked.opened
            else once.once("way", key, lambda: _way(asked, answer))
        )
        drawn = once.once("way drawn", key, lambda: _drawn(way), most=3)
    except (RuntimeError, ValueError) as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    wanted = st.session_state.get(_ASKED)
    explanation, colours = answer.explanation, st.session_state[choices.COLOURS]

    def of(name: str) -> Any:
        return st.session_state.through_part[name]

    def open_number() -> None:
        path, *cell = of("cell")
        choices.choose_layer(path, answer.default_layer)
        number.open_at(cell)

    _part(
        key="through_part",
        data={
            "id": " ".join(key[:2]),
            "view": explanation.view.shape[:2],
            **drawn,
            "luts": [feature_maps.colours(each).tolist() for each in (colours, None)],
            "answer": _answer(way, answer),
            "number": f"{explanation.layer} {fields.get(choices.CELL)}",
            "inputs": _inputs(asked, answer, way, *wanted[1:]) if wanted and wanted[0] == key else None,
        },
        on_opened_change=lambda: choices.open_stage(of("opened")),
        on_asked_change=lambda: st.session_state.update({_ASKED: (key, *of("asked"))}),
        on_cell_change=open_number,
        on_layer_change=lambda: choices.choose_layer(of("layer"), answer.default_layer),
    )


def _way(asked: Question, answer: ShownExplanation) -> Way:
    """Of a stage that is opened when the answer stands already: one forward pass."""
    from explorer.inference.through.columns import columns
    from explorer.inference.through.maps import look
    from explorer.serving import pool

    def through(network: Network) -> Way:
        found = columns(network, asked.opened)
        return Way(asked.opened, found, look(network, asked.picture.image, found))

    return pool.shared().run(answer.entry.id, through).value


def _drawn(way: Way) -> dict[str, Any]:
    """What the browser is told of the columns, and of the stages above them."""
    from explorer.inference.through.columns import PICTURE

    stages = [(name, list(members)) for name, members in groupby(way.columns, lambda column: column.stage)]
    return {
        "picture": PICTURE,
        "stages": [_stage(name, members, way.opened) for name, members in stages],
        "columns": [_column(column, way.maps.get(column.layer.path), way.opened) for column in way.columns],
    }


def _stage(name: str, members: Sequence[Column], opened: str) -> dict[str, Any]:
    """opens: what a click on its name asks for, "" to close it, None where there is nothing to open."""
    first = members[0]
    if not first.unit:
        opens = first.inside or None
    elif not opened:  # a network of few stages stands open of itself, by some of its blocks
        opens = name
    else:
        opens = name if opened != name and len({column.unit for column in members}) > 1 else ""
    return {
        "title": name[:1].upper() + name[1:],
        "columns": len(members),
        "made": ", ".join(dict.fromkeys(_made_of(column) for column in members)),
        "open": bool(first.unit and opened),
        "opens": opens,
    }


def _column(column: Column, maps: Maps | None, opened: str) -> dict[str, Any]:
    layer, field = column.layer, column.field
    return {
        "name": _name(column),
        "whole": not column.unit,
        "of": column.stage if not column.unit else layer.path,
        "path": layer.path,
        "opens": column.inside if column.unit else "",
        "shape": [layer.channels, layer.height, layer.width],
        "channels": exact(layer.channels),
        "macs": column.macs_share,
        "macsSaid": share(column.macs_share, 1),
        "field": field
        and {"size": field.size, "stride": field.stride, "padding": field.padding, "beyond": field.beyond},
        "sources": column.sources,
        "maps": maps and _maps(maps),
    }


def _name(column: Column) -> str:
    """What it is made of, of an opened stage where it stands, of an opened block which layer it is."""
    if not column.unit:
        return _made_of(column)
    if column.layer.path.startswith(f"{column.unit}."):
        return _end_of(column.layer.path.removeprefix(f"{column.unit}."))
    parts = column.unit.split(".")
    return _end_of(".".join(parts[-2:] if parts[-1].isdecimal() else parts[-1:]))


def _end_of(name: str) -> str:
    """Blocks and layers are told apart by how their names end."""
    return name if len(name) <= _NARROW else f"…{name[-_NARROW:]}"


def _made_of(column: Column) -> str:
    block = column.block.strip("_")
    return f"{block} ×{column.repeats}" if column.repeats > 1 else block


def _maps(maps: Maps) -> dict[str, Any]:
    """The atlas holds the tiles from left to right, grey from low to high."""
    return {
        "atlas": data_url(Image.fromarray(np.concatenate(maps.levels, axis=1)), lossless=True),
        "channels": maps.channels,
        "strengths": [three_digits(each) for each in maps.strengths],
        "values": maps.strengths,
        "low": maps.low,
        "high": maps.high,
        "step": maps.step,
    }


def _answer(way: Way, answer: ShownExplanation) -> dict[str, Any]:
    """What the shown channels of the last column give to the class that is explained, where that is known."""
    explanation = answer.explanation
    if not way.columns or explanation.explained is None or explanation.contributions is None:
        return {"label": "", "given": None}
    last = way.columns[-1].layer.path
    maps = way.maps.get(last)
    known = maps is not None and last == explanation.layer
    return {
        "label": explanation.explained.label,
        "given": [float(explanation.contributions[each]) for each in maps.channels]
        if known and maps
        else None,
    }


def _inputs(
    asked: Question, answer: ShownExplanation, way: Way, path: str, channel: int
) -> dict[str, Any] | None:
    """What feeds the channel that somebody pointed at; None where it is not among those shown any more."""
    from explorer.inference.through.inputs import inputs
    from explorer.serving import pool

    at = next((at for at, column in enumerate(way.columns) if column.layer.path == path), None)
    if at is None:
        return None

    def found() -> dict[str, Any]:
        run = pool.shared().run
        return _fed(
            run(answer.entry.id, lambda it: inputs(it, asked.picture.image, way.columns, at, channel)).value
        )

    try:
        key = (answer.entry.id, asked.picture.digest, asked.opened, path, channel)
        return {"at": at, "channel": channel, **once.once("way inputs", key, found)}
    except (RuntimeError, ValueError) as error:
        return {"at": at, "channel": channel, "error": str(error)}


def _fed(found: Inputs) -> dict[str, Any]:
    from explorer.inference.through.inputs import MEASURE

    picture = None
    if found.picture is not None:
        largest = float(np.percentile(np.abs(found.picture), 99.8)) or 1.0
        levels = np.clip(127.5 + 127.5 * found.picture / largest, 0, 255).round().astype(np.uint8)
        picture = {
            "map": data_url(Image.fromarray(levels), lossless=True),
            "low": three_digits(-largest),
            "high": three_digits(largest),
        }
    return {
        "mean": found.mean,
        "given": {str(source): given for source, given in found.given.items()},
        "maps": {str(source): _maps(maps) for source, maps in found.maps.items()},
        "picture": picture,
        "measure": MEASURE,
    }
