"""The stats sheet of a network as plain text, for a terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.ui.kit.formatting import count, size

if TYPE_CHECKING:
    from explorer.analysis import Stats


def text(counted: Stats) -> str:
    """The totals, then a line a layer."""
    sheet = counted.to_json()
    field = sheet["receptive_field"]
    rows = [
        ("input", "×".join(map(str, sheet["input_size"]))),
        ("parameters", f"{count(sheet['params'])}  ({sheet['params']:,})"),
        ("MACs", f"{count(sheet['macs'])}  ({sheet['macs']:,}; FLOPs = 2 × MACs)"),
        ("activations", f"{count(sheet['activations'])}  ({sheet['activations']:,})"),
        ("weights, fp32", size(sheet["weight_bytes"])),
        ("depth", f"{sheet['depth']} weighted layers on the longest path"),
        ("receptive field", f"{_pair(field['size'])} pixels, stride {_pair(field['stride'])}"),
        ("further view", counted.receptive_field.beyond or "none before the end"),
    ]
    if other := counted.deployed:
        rows.append(
            (
                "as deployed",
                f"{count(other.params)} parameters ({other.params:,}), {count(other.macs)} MACs "
                f"({other.macs:,}), depth {other.depth}: branches and norms merged; all else as trained",
            )
        )
    if counted.one_way:
        rows.append(("one way of more", counted.one_way))
    if counted.uncounted:
        rows.append(("not counted", f"{', '.join(counted.uncounted)}: no rule says how many MACs"))
    lines = [sheet["model"], *(f"  {name:<16} {value}" for name, value in rows), ""]
    lines.append(f"  {'layer':<48} {'kind':<11} {'output':<18} {'params':>12} {'MACs':>15}  field")
    return "\n".join([*lines, *map(_line, sheet["layers"])])


def _line(layer: dict[str, Any]) -> str:
    shape = "×".join(map(str, layer["output_shape"]))
    seen = _pair(layer["receptive_field"]["size"]) if layer["receptive_field"] else "–"
    named = f"{layer['path']:<48} {layer['kind']:<11} {shape:<18}"
    return f"  {named} {layer['params']:>12,} {layer['macs']:>15,}  {seen}"


def _pair(side: Sequence[float] | float) -> str:
    """`7` and `[7, 7]` as `7×7`."""
    height, width = side if isinstance(side, Sequence) else (side, side)
    return f"{height:.4g}×{width:.4g}" if height < 1000 else f"{height:.0f}×{width:.0f}"
