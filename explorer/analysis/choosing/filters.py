"""Which candidates a chart shows: by family, year, image size, training data, publisher, and by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow
from pyarrow.compute import match_substring_regex

from explorer.analysis.choosing.candidates import Candidate


class SearchError(ValueError):
    """The words are no regular expression; the message says what is wrong with them."""


@dataclass(frozen=True)
class Narrowing:
    """Empty means "no limit". families: ids, "" for networks of no family. years, image_sizes: first and
    last, both included; a candidate without a year passes only where no year is asked for.

    for_tests: whether the toy networks on which timm tests its code are among them.
    words: text that stands in the name, the network or the weights, upper or lower case; every word must.
    """

    families: frozenset[str] = frozenset()
    years: tuple[int, int] | None = None
    image_sizes: tuple[int, int] | None = None
    training_data: frozenset[str] = frozenset()
    published_by: frozenset[str] = frozenset()
    for_tests: bool = True
    words: str = ""
    regular_expression: bool = False

    def without_words(self) -> Narrowing:
        return replace(self, words="")


def narrowed(candidates: Sequence[Candidate], wanted: Narrowing) -> list[int]:
    """Places of those that pass, in their order. Raises SearchError."""
    found = _found(candidates, wanted)
    return [
        place
        for place, (each, named) in enumerate(zip(candidates, found, strict=True))
        if named and _passes(each, wanted)
    ]


def _passes(each: Candidate, wanted: Narrowing) -> bool:
    return (
        (wanted.for_tests or not each.for_tests)
        and (not wanted.families or (each.family or "") in wanted.families)
        and (wanted.years is None or (each.year is not None and _within(each.year, wanted.years)))
        and (wanted.image_sizes is None or _within(each.image_size, wanted.image_sizes))
        and (not wanted.training_data or each.training_data in wanted.training_data)
        and (not wanted.published_by or each.published_by in wanted.published_by)
    )


def _within(value: int, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]


def _found(candidates: Sequence[Candidate], wanted: Narrowing) -> Sequence[bool]:
    if not wanted.words.strip():
        return [True] * len(candidates)
    texts = [f"{each.name} {each.reference} {each.weights}" for each in candidates]
    if not wanted.regular_expression:
        words = wanted.words.lower().split()
        return [all(word in text.lower() for word in words) for text in texts]
    try:  # RE2 answers in time linear in the text, so that no visitor's pattern can hold the server
        found: list[bool] = match_substring_regex(texts, wanted.words, ignore_case=True).to_pylist()
    except pyarrow.ArrowInvalid as error:
        reason = str(error).partition(": ")[2]
        raise SearchError(f"{wanted.words[:80]!r} is no regular expression: {reason}.") from error
    return found
