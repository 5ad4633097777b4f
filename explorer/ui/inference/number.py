"""One number of a feature map, opened as on a board: patch times kernel, sum, bias, norm, activation.

The layer is laid open once it comes into sight, in a forward pass of its own; to go from cell to cell asks no
network again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from explorer.inference import feature_maps
from explorer.ui.inference.answer import Question, ShownExplanation
from explorer.ui.kit import components, fields, once, theme
from explorer.ui.kit.formatting import plain
from explorer.ui.picture import choices
from explorer.ui.picture.parts import data_url

if TYPE_CHECKING:
    from explorer.inference.arithmetic import Attended, Board, Opened, Patch, Pooled, Weighed
    from explorer.networks import Network

_BOARDS, _SHOWN = "boards", "number shown"
_SEEN = "_number_in_sight"
_KEPT = 1  # board in one visit: it holds what a layer reads, of VGG's first ones 13 MB
_STRONGEST = 8  # input channels drawn one by one
_LARGEST_KERNEL = 11  # of which the numbers' colours can still be told
_COLOURS_OF_PIXELS = ("red", "green", "blue")
_MAP_SIDE = 168  # pixels; smaller maps are enlarged by the browser, cell by cell

_part = components.declare(
    "inference_number",
    html=theme.asset("inference/browser/number.html"),
    css=theme.asset("picture/browser/style.css") + theme.asset("inference/browser/number.css"),
    js=theme.asset("inference/browser/number.js"),
)


@st.fragment
def view(asked: Question, answer: ShownExplanation) -> None:
    """The strongest number of the layer to begin with, else the one that the link names."""
    fields.bind_fields("number", {choices.CELL: "Cell"})
    board = _board(asked, answer) if st.session_state.get(_SEEN) else None

    def seen() -> None:
        st.session_state[_SEEN] = True

    def chosen() -> None:
        choices.choose_cell(st.session_state.number_part.cell)

    def placed() -> None:
        if board:
            choices.choose_cell(board.strongest_at(*st.session_state.number_part.place))

    _part(
        key="number_part",
        data=_data(asked, answer, board) if board else {"waits": True},
        on_seen_change=seen,
        on_cell_change=chosen,
        on_place_change=placed,
    )


def on_the_board(asked: Question, answer: ShownExplanation) -> Callable[[], Opened | None]:
    """Tells later, outside of the page's run too, which number is on the board: none before it has been in
    sight."""
    shown, key = once.kept(_SHOWN, _KEPT), _key(asked, answer)
    return lambda: shown.get(key)


def _key(asked: Question, answer: ShownExplanation) -> tuple[str, ...]:
    return answer.entry.id, asked.picture.digest, answer.explanation.layer


def open_at(cell: Sequence[int]) -> None:
    """From a callback: the next run opens this number of the layer, in sight or not."""
    choices.choose_cell(cell)
    st.session_state[_SEEN] = True


def _board(asked: Question, answer: ShownExplanation) -> Board | None:
    """None after it has been said why there is none."""
    from explorer.inference.arithmetic import lay_open
    from explorer.serving import pool

    def look(network: Network) -> Board:
        return lay_open(network, asked.picture.image, answer.explanation.layer)

    def found() -> Board:
        return pool.shared().run(answer.entry.id, look).value

    try:
        return once.once(_BOARDS, _key(asked, answer), found, most=_KEPT)
    except (RuntimeError, ValueError) as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _data(asked: Question, answer: ShownExplanation, board: Board) -> dict[str, Any]:
    cell = choices.cell(board.maps.shape) or board.strongest()
    colours = st.session_state[choices.COLOURS]
    opened = once.once("number", (board, cell), lambda: board.cell(*cell), most=_KEPT)
    once.kept(_SHOWN, _KEPT)[_key(asked, answer)] = opened
    return once.once(
        "number drawn", (opened, colours), lambda: _drawn_open(board, opened, answer, colours), most=_KEPT
    )


def _drawn_open(board: Board, opened: Opened, answer: ShownExplanation, colours: str) -> dict[str, Any]:
    return {
        "layer": opened.layer,
        "cell": [opened.channel, opened.row, opened.column],
        "shape": board.maps.shape,
        "strongest": board.strongest(),
        "photo": answer.view_url,
        "tiny": answer.tiny,
        "field": opened.field,
        "sees": _sees(board, opened),
        "map": _drawn(board.maps[opened.channel], colours),
        "captured": opened.captured,
        "apart": abs(opened.value - opened.captured),
        "known": opened.known,
        "gathered": _gathered(opened, colours),
        "aside": _aside(opened),
        "chain": [
            line
            for step, line in zip(opened.steps, opened.to_json()["steps"], strict=True)
            if getattr(step, "aside", -1) < 0
        ],
        "signed": _table(None),
        "colours": _table(colours),
    }


def _sees(board: Board, opened: Opened) -> str:
    """How much of the picture the number sees, in words."""
    if opened.field is None or board.field is None:
        return f"It depends on the whole picture ({opened.beyond})" if opened.beyond else ""
    height, width = (round(side) for side in board.field.size)
    rows, columns = board.picture
    said = f"It sees {width} × {height} of {columns} × {rows} pixels"
    if width >= 2 * columns and height >= 2 * rows:
        said = f"It sees the whole picture: {width} × {height} pixels, padding included"
    return f"{said}, and more: {opened.beyond}" if opened.beyond else said


def _gathered(opened: Opened, colours: str) -> dict[str, Any] | None:
    """The step that gathers, with its grids."""
    from explorer.inference.arithmetic import Attended, Pooled, Weighed

    for step in opened.steps:
        if isinstance(step, Weighed):
            return _weighed(step, colours)
        if isinstance(step, Pooled):
            return _pooled(step, colours)
        if isinstance(step, Attended) and step.aside < 0:
            return {"kind": "attended", **_attended(step)}
    return None


def _aside(opened: Opened) -> dict[str, Any] | None:
    from explorer.inference.arithmetic import Attended

    found = next((s for s in opened.steps if isinstance(s, Attended) and s.aside >= 0), None)
    return _attended(found) if found else None


def _weighed(step: Weighed, colours: str) -> dict[str, Any]:
    from explorer.inference.arithmetic import PICTURE

    partial, patch = step.partial, step.patch
    order = step.strongest(_STRONGEST)
    pixels = step.patch.source == PICTURE and len(partial) == len(_COLOURS_OF_PIXELS)

    def name(channel: int) -> str:
        return _COLOURS_OF_PIXELS[channel] if pixels else f"channel {step.patch.first + channel}"

    return {
        "kind": "weighed",
        "words": step.words,
        "source": step.patch.source,
        "size": step.kernel.shape[1:],
        "drawn": 1 < max(step.kernel.shape[1:]) <= _LARGEST_KERNEL,
        "inside": step.patch.inside.tolist(),
        "box": _box(step.patch),
        "channels": [
            {
                "name": name(channel),
                "patch": step.patch.numbers[channel].tolist(),
                "kernel": step.kernel[channel].tolist(),
                "partial": float(partial[channel]),
                "map": None if patch.maps is None else _drawn(patch.maps[channel], colours),
            }
            for channel in order
        ],
        "rest": _rest(partial, order),
        "total": step.value,
    }


def _pooled(step: Pooled, colours: str) -> dict[str, Any]:
    return {
        "kind": "pooled",
        "words": step.words,
        "source": step.patch.source,
        "size": step.patch.inside.shape,
        "drawn": max(step.patch.inside.shape) <= _LARGEST_KERNEL,
        "inside": step.patch.inside.tolist(),
        "box": _box(step.patch),
        "patch": step.patch.numbers[0].tolist(),
        "taken": step.taken,
        "channel": f"channel {step.patch.first}",
        "map": None if step.patch.maps is None else _drawn(step.patch.maps[0], colours),
    }


def _attended(step: Attended) -> dict[str, Any]:
    """The places that it looks at most, with what they hold; the attention as a map."""
    products = step.weights * step.values
    order = [int(each) for each in np.argsort(-np.abs(products), kind="stable")[:_STRONGEST]]
    rows, columns = step.grid
    spread = step.weights[step.prefix :].reshape(rows, columns)

    def name(token: int) -> str:
        if token < step.prefix:
            return "class token" if token == 0 else f"token {token}"
        row, column = divmod(token - step.prefix, columns)
        return f"row {row}, column {column}"

    return {
        "words": step.words,
        "where": step.where,
        "formula": step.formula,
        "value": step.value,
        "channel": step.aside,
        "whole": step.whole,
        "size": [rows, columns],
        "looks": [*divmod(step.token - step.prefix, columns)] if step.token >= step.prefix else None,
        "map": _drawn(spread, "Viridis"),
        "rows": [
            {
                "name": name(token),
                "weight": float(step.weights[token]),
                "value": float(step.values[token]),
                "product": float(products[token]),
            }
            for token in order
        ],
        "rest": _rest(products, order),
    }


def _rest(parts: np.ndarray, shown: Sequence[int]) -> dict[str, Any]:
    """How many there are beside those shown, and what they come to together."""
    return {"count": len(parts) - len(shown), "partial": float(parts.sum() - parts[list(shown)].sum())}


def _box(patch: Patch) -> dict[str, Any] | None:
    """Where it lies in the input map, in its cells."""
    if patch.corner is None or patch.maps is None:
        return None
    size = [(count - 1) * apart + 1 for count, apart in zip(patch.inside.shape, patch.dilation, strict=True)]
    return {"corner": patch.corner, "size": size, "shape": patch.maps.shape[1:]}


def _drawn(values: np.ndarray, colours: str) -> dict[str, Any]:
    """A map as a picture with its scale: from zero where nothing is negative, else symmetric about zero."""
    high = float(np.abs(values).max()) or 1.0
    low = -high if values.min() < 0 else 0.0
    table = feature_maps.colours(None if low < 0 else colours)
    shades = table[np.rint((values - low) / (high - low) * 255).astype(np.uint8)]
    image = Image.fromarray(shades)
    if max(image.size) > _MAP_SIDE:
        image.thumbnail((_MAP_SIDE, _MAP_SIDE), Image.Resampling.BOX)
    return {
        "url": data_url(image, lossless=True),
        "low": low,
        "high": high,
        "signed": low < 0,
    }


@cache
def _table(name: str | None) -> Sequence[Sequence[int]]:
    return feature_maps.colours(name).tolist()
