"""What the diagram tells of a node beyond its drawing: rows of the tooltip, a sentence, a mix of colours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.ui.kit import formatting, theme

if TYPE_CHECKING:
    from explorer.analysis.field.propagation import ReceptiveField
    from explorer.analysis.structure.hierarchy import Hierarchy, Node

_KIND_NAMES = {
    "stage": "Stage",
    "block": "Block",
    "module": "Module",
    "fold": "Repeated",
    "part": "Part",
    "network": "Network",
}
# ATen's name of a setting -> ours, and the value that goes without saying.
_SETTINGS = {
    "kernel_size": ("Kernel", None),
    "stride": ("Stride", None),
    "padding": ("Padding", 0),
    "dilation": ("Dilation", 1),
    "groups": ("Groups", 1),
}


@dataclass(frozen=True)
class Facts:
    """title and rows (what, how much) make the tooltip, spoken the label for a screen reader.

    mix: the roles inside with their shares (0-1) of the node's MACs, or of its parameters where it has none.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    spoken: str
    mix: tuple[tuple[str, float], ...] = ()


def facts(hierarchy: Hierarchy, node: Node) -> Facts:
    """Of a box, an operation, or a port at the edge of the box one is inside of."""
    title = title_of(node)
    if not node.ops:
        return Facts(title, (("Shape", node.detail),) if node.detail else (), f"{title}; {node.detail}")
    params, macs = hierarchy.totals(node)
    rows = [("Kind", kind_name(node.kind)), *_settings(hierarchy, node)]
    if node.path:
        rows.append(("Module", node.path))
    rows.append(("Output", formatting.shape(output_shape(hierarchy, node))))
    if params:
        share = formatting.share(params, hierarchy.trace.params)
        rows.append(("Parameters", f"{formatting.exact(params)} ({share})"))
    if macs:
        rows.append(("MACs", f"{formatting.exact(macs)} ({formatting.share(macs, hierarchy.trace.macs)})"))
    if field := field_of(hierarchy, node):
        rows.append(("Receptive field", field_text(field)))
    rows += [("Differs", text) for text in node.differs]
    spoken = "; ".join([title, *(f"{what} {amount}" for what, amount in rows)])
    return Facts(title, tuple(rows), spoken, mix(hierarchy, node))


def title_of(node: Node) -> str:
    """The name on the card; a fold's with how often it stands there."""
    return f"{node.label} × {node.count}" if node.kind == "fold" else node.label


def kind_name(kind: str) -> str:
    return theme.ROLE_NAMES.get(kind) or _KIND_NAMES.get(kind, kind)


def output_shape(hierarchy: Hierarchy, node: Node) -> tuple[int, ...]:
    return hierarchy.ops[node.ops[-1]].output_shape


def field_of(hierarchy: Hierarchy, node: Node) -> ReceptiveField | None:
    """Of the last operation inside that depends on the image."""
    return next((hierarchy.fields[op] for op in reversed(node.ops) if op in hierarchy.fields), None)


def field_text(field: ReceptiveField) -> str:
    """`35 px, every 8 px`; with the operation from which on the whole image counts."""
    text = f"{side(field.size)} px"
    if field.local:
        text += f", every {side(field.stride)} px"
    return f"{text}; {field.beyond}" if field.beyond else text


def side(value: tuple[float, ...]) -> str:
    """`427` for a square, `427 × 219` for another."""
    sides = [f"{each:g}" for each in value]
    return sides[0] if len(set(sides)) == 1 else " × ".join(sides)


def mix(hierarchy: Hierarchy, node: Node) -> tuple[tuple[str, float], ...]:
    """The roles inside by their share of the work, in the order of the colour table."""
    for amount in ("macs", "params"):
        totals: Counter[str] = Counter()
        for identifier in node.ops:
            op = hierarchy.ops[identifier]
            totals[op.kind] += getattr(op, amount)
        if whole := totals.total():
            return tuple((kind, totals[kind] / whole) for kind in theme.ROLES if totals[kind])
    return ()


def _settings(hierarchy: Hierarchy, node: Node) -> list[tuple[str, str]]:
    """Kernel, stride and the like of an operation that has them."""
    if not node.leaf:
        return []
    found = next((hierarchy.ops[i] for i in node.ops if "kernel_size" in hierarchy.ops[i].attributes), None)
    if found is None:
        return []
    rows = []
    for key, (name, usual) in _SETTINGS.items():
        value = found.attributes.get(key)
        if value is None or isinstance(value, str) or set(_tuple(value)) == {usual}:
            continue
        sides = [f"{each:g}" for each in _tuple(value)]
        rows.append((name, " × ".join(sides) if key == "kernel_size" else side(_tuple(value))))
    if "in_channels" in found.attributes:
        wide = f"{found.attributes['in_channels']} → {found.attributes['out_channels']}"
        rows.append(("Channels", wide))
    return rows


def _tuple(value: Any) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)
