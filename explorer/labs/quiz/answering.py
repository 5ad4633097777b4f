"""The quiz: what is right, worked out when it is asked for, and what to make of what a visitor says.

A question of `catalogue.quiz` names a row of ANSWERS; the row computes the right value and the values that
plausible mistakes lead to, which are the wrong options.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import cast

from explorer.catalogue.quiz import Question, questions
from explorer.labs.quiz import facts, layers, networks, norms, numbers, windows
from explorer.labs.quiz.values import Answer, Slip, shown

OPTIONS = 4

ANSWERS: Mapping[str, Callable[..., Answer]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            layers.layer_weights,
            layers.layer_macs,
            layers.output_side,
            layers.padding_for,
            layers.reduced_macs,
            layers.times_cheaper,
            layers.separable_weights,
            layers.separable_saving,
            layers.parallel_paths,
            layers.bottleneck_weights,
            layers.gate_weights,
            layers.wider,
            layers.norm_parameters,
            layers.dense_width,
            networks.greater,
            networks.times_fewer,
            networks.linear_share,
            networks.first_linear,
            networks.flops,
            networks.weight_bytes,
            networks.bytes_a_parameter,
            networks.at_another_side,
            networks.last_map_side,
            networks.unit_distance,
            networks.projections,
            networks.normalised_pixel,
            networks.kept_by_crop,
            windows.stack_field,
            windows.stack_saving,
            windows.unmoved_field,
            windows.middle_against_edge,
            norms.normalised,
            norms.batch_variance,
            norms.undoing,
            norms.running_mean,
            norms.needs_the_batch,
            norms.statistics,
            numbers.path_count,
            numbers.dense_connections,
            numbers.chain_of_slopes,
            numbers.through_blocks,
            numbers.joined,
            numbers.compound_cost,
            numbers.softmax_share,
            numbers.kept_activation,
            numbers.smoothed_label,
            numbers.guessing_error,
            numbers.crops,
            norms.moved_when_frozen,
            facts.by_year,
            facts.methods_by_year,
            facts.winning_error,
            facts.winner,
            facts.first_below_people,
            facts.fall_between,
            facts.removed_ceiling,
            facts.who_removed,
            facts.ancestor,
            facts.better,
            facts.recipe_gain,
        )
    }
)


@cache
def answer(identifier: str) -> Answer:
    """The answer to a question of the catalogue, computed at the first call of the process."""
    return answer_to(questions()[identifier])


def answer_to(question: Question) -> Answer:
    """Computed, or as written; its slips differ from the right value, and from each other, as shown.

    KeyError where the question names no row of ANSWERS; ValueError where a choice has too few wrong options.
    """
    if not question.computed:
        return Answer(question.right, "", tuple(Slip(text, "") for text in question.wrong))
    found = ANSWERS[question.answer](**question.arguments)
    if isinstance(found.right, tuple):
        return found
    slips: dict[str, Slip] = {}
    for slip in found.slips:
        slips.setdefault(shown(slip.value, question.unit, question.per), slip)
    slips.pop(shown(found.right, question.unit, question.per), None)
    needed = {"choice": OPTIONS - 1, "pair": 1}.get(question.kind, 0)
    if len(slips) < needed:
        raise ValueError(f"{question.id} has {len(slips)} wrong options, not {needed}: {list(slips)}")
    return Answer(found.right, found.working, tuple(slips.values()), found.cited)


def right_text(question: Question, found: Answer) -> str:
    """The right answer as the reader sees it."""
    if isinstance(found.right, tuple):
        return " → ".join(found.right)
    return shown(found.right, question.unit, question.per)


def options(question: Question, found: Answer, seed: int) -> tuple[str, ...]:
    """What can be chosen, in an order that this question keeps throughout a visit; () for a typed number."""
    if question.kind == "number":
        return ()
    if isinstance(found.right, tuple):
        texts = sorted(found.right)
    else:
        wrong = OPTIONS - 1 if question.kind == "choice" else 1
        texts = [right_text(question, found)]
        texts += [shown(slip.value, question.unit, question.per) for slip in found.slips[:wrong]]
    drawn = random.Random(f"{seed} options {question.id}")
    drawn.shuffle(texts)
    if isinstance(found.right, tuple) and tuple(texts) == found.right:
        texts.reverse()  # what is to be put in order does not stand in it
    return tuple(texts)


@dataclass(frozen=True)
class Judged:
    """mistake: what leads to the given answer, where that is known; "" otherwise."""

    right: bool
    mistake: str = ""


def judged(question: Question, found: Answer, given: str | tuple[str, ...] | tuple[float, ...]) -> Judged:
    """given: an option's text, names in order, or what a typed text may mean, in the question's unit."""
    if isinstance(given, str):
        if given == right_text(question, found):
            return Judged(True)
        by_text = {shown(slip.value, question.unit, question.per): slip.mistake for slip in found.slips}
        return Judged(False, by_text.get(given, ""))
    if isinstance(found.right, tuple):
        return Judged(given == found.right)
    assert not isinstance(found.right, str)
    return _judged_number(question, found.right, found.slips, cast(tuple[float, ...], given))


def _judged_number(
    question: Question, right: float, slips: Sequence[Slip], readings: tuple[float, ...]
) -> Judged:
    """Right if one of the readings is."""

    def meant(value: float) -> bool:
        return any(_near(each, value / question.per, question.tolerance) for each in readings)

    if meant(right):
        return Judged(True)
    numbers = (slip for slip in slips if not isinstance(slip.value, str))
    return Judged(False, next((slip.mistake for slip in numbers if meant(float(slip.value))), ""))


def _near(given: float, wanted: float, tolerance: float) -> bool:
    return math.isclose(given, wanted, rel_tol=max(tolerance, 1e-9), abs_tol=0.0)


_GROUPED = re.compile(r"(?P<sign>-?)[1-9]\d{0,2}(?:(?P<by>[.,'’])\d{3})(?:(?P=by)\d{3})*(?P<rest>[.,]\d*)?")
_TIMES = re.compile(r"(?<=\d)[×x*·]10\^?(?=[+-]?\d)")
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_PREFIXES: Mapping[str, float] = MappingProxyType({"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12})
_LONGEST = 40  # characters


def typed(text: str, unit: str = "") -> tuple[float, ...]:
    """What someone may have meant by a typed number, the likelier first; () where it is none.

    73,728 and 73 728, 3.68 and 3,68, 9.5e-7 and 9.5 × 10⁻⁷, 25.6 M and 12 %, with the question's unit behind
    or without. One comma or point before three digits has two readings: 1,355 is 1355 and 1.355.
    """
    if len(text) > _LONGEST:
        return ()
    text = re.sub(r"\s", "", text).replace("−", "-").translate(_RAISED)
    text = _TIMES.sub("e", text.removesuffix(re.sub(r"\s", "", unit)).rstrip("%"))
    factor, prefix = 1.0, text[-1:].replace("K", "k")
    if prefix in _PREFIXES:
        text = text[:-1]
        factor = 1.0 if unit.startswith(prefix) else _PREFIXES[prefix]  # "25.6 M" asked for in millions
    readings = []
    if grouped := _GROUPED.fullmatch(text):
        by, rest = grouped["by"], grouped["rest"]
        whole = text.removesuffix(rest or "").replace(by, "")
        if rest is None or rest[0] != by:
            readings.append(whole + (rest or "").replace(",", "."))
    if text.count(",") + text.count(".") == 1:
        readings.append(text.replace(",", "."))
    elif not re.search("[.,'’]", text):
        readings.append(text)
    numbers = [factor * number for each in readings if (number := _finite(each)) is not None]
    return tuple(dict.fromkeys(number for number in numbers if math.isfinite(number)))


def _finite(text: str) -> float | None:
    """Of plain digits with a point and an exponent, as no "nan", "1_0" or "٣" is."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
        return None
    return float(text) if math.isfinite(float(text)) else None


def said(number: float, unit: str) -> str:
    """A typed number as it is repeated to whom typed it: all its digits, in the question's unit."""
    return f"{number:,.10g}{f' {unit}' if unit else ''}".replace("-", "−")
