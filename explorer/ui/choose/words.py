"""Constraints and choices in words and numbers, as the Choose page prints them."""

from __future__ import annotations

from explorer.analysis.choosing.candidates import MEASURES, Candidate
from explorer.analysis.choosing.constraints import CONSTRAINTS, Reason, Wishes, reasons
from explorer.analysis.choosing.constraints import asked as in_force
from explorer.analysis.choosing.ranking import Choice, Give
from explorer.ui.choose.controls import Asked
from explorer.ui.kit.formatting import count, exact, size, three_digits
from explorer.ui.network.candidates import ALL_MEASURES

_UNKNOWN = "not known"


def number(value: float | str | None, unit: str) -> str:
    """As it stands on screen: three digits with the unit; text as it is."""
    if value is None:
        return _UNKNOWN
    if isinstance(value, str):
        return value
    if unit == "bytes":
        return size(value)
    if unit == "%":
        return f"{value:.2f} %"
    if unit in ("", "px"):
        return f"{count(value)} {unit}".strip()
    return f"{three_digits(value)} {unit}"


def measured(candidate: Candidate, measure: str) -> str:
    return number(candidate.value(measure), ALL_MEASURES[measure].unit)


def title(name: str, wishes: Wishes) -> str:
    """Of a constraint; speed and memory say on what and for what."""
    if name == "speed" and wishes.speed:
        return ALL_MEASURES[wishes.speed].title
    if name == "memory":
        images = "one image" if wishes.batch_size == 1 else f"{wishes.batch_size} images"
        return f"Memory, {wishes.mode}, {images}"
    return CONSTRAINTS[name].title


def reason(name: str, of: Reason, wishes: Wishes) -> str:
    """ "MACs: 4.09 G, at most 5.00 G" """
    bound = {"less": "at most ", "more": "at least ", None: "asked: "}[of.better]
    value = f"{number(of.value, of.unit)}"
    return f"{title(name, wishes)}: {value}, {bound}{number(of.limit, of.unit)}"


def headline(found: Choice, whole: int, asked: Asked) -> str:
    """How many pass and which is best; where none does, what one would have to drop. Markdown-free."""
    if found.kept:
        best = found.kept[0]
        several = len({each.reference for each in found.kept})
        networks = f"{exact(several)} networks" if several > 1 else "one network"
        first = f"First by {ALL_MEASURES[asked.measure].title}: {best.name}, {measured(best, asked.measure)}."
        passing = f"{exact(len(found.kept))} of {exact(whole)} sets of weights pass"
        if not in_force(asked.wishes):
            passing = f"Nothing is ruled out: {exact(whole)} sets of weights"
        return f"{passing}, of {networks}. {first}"
    if found.gives:
        most = max(found.gives, key=lambda give: give.gained)
        others = (
            ""
            if len(found.gives) == 1
            else "; the next best is "
            + _drop(
                next(give for give in sorted(found.gives, key=lambda give: -give.gained) if give is not most),
                asked,
            )
        )
        return f"Nothing passes. Drop one limit: {_drop(most, asked)}{others}."
    assert found.nearest is not None
    broken = [title(name, asked.wishes) for name in found.broken[found.nearest.id]]
    return (
        f"Nothing passes, and no single limit is to blame. {found.nearest.name} comes closest and breaks "
        f"{len(broken)}: {', '.join(broken)}."
    )


def _drop(give: Give, asked: Asked) -> str:
    passing = (
        f"{give.gained} sets of weights then pass" if give.gained > 1 else "one set of weights then passes"
    )
    return f"{title(give.constraint, asked.wishes)} ({passing})"


def gives(found: Choice, asked: Asked) -> list[str]:
    """What dropping each constraint would bring, the best first."""
    told = []
    for give in found.gives:
        broken = reasons(give.best, asked.wishes)[give.constraint]
        better = f", {_gain(give.gain, asked.measure)}" if give.gain is not None else ""
        if give.apart:
            better = f" (no difference is given: tested otherwise, {', '.join(give.apart)})"
        best = f"{give.best.name} with {measured(give.best, asked.measure)}"
        step = _step(give, asked)
        told.append(
            f"{title(give.constraint, asked.wishes)}: {best}{better}; "
            f"it has {number(broken.value, broken.unit)}. {step}Alone it keeps out {exact(give.gained)}."
        )
    return told


def _step(give: Give, asked: Asked) -> str:
    """The least one would have to loosen."""
    near = give.nearest
    if near is None or near == give.best:
        return ""
    has = reasons(near, asked.wishes)[give.constraint]
    return f"{number(has.value, has.unit)} would do for {near.name}, {measured(near, asked.measure)}. "


def _gain(gain: float, measure: str) -> str:
    unit = ALL_MEASURES[measure].unit
    points = f"{gain:.2f}" if gain >= 5e-3 else f"{gain:.1g}"
    return f"{points} points better" if unit == "%" else f"{number(gain, unit)} better"


def basis(measure: str) -> str:
    """Whether a number was counted, published or measured, in a word or two."""
    if measure.removeprefix("deployed ") in ("params", "macs", "activations", "weight_bytes"):
        return "counted"
    return "published" if measure in MEASURES else "measured here"
