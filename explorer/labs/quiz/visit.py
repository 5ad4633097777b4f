"""One visitor's way through the quiz: which question comes next, and what became of those before."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

Outcome = Literal["right", "wrong", "skipped"]


@dataclass(frozen=True)
class Given:
    """text: what was answered, as shown; mistake: what leads there, where that is known."""

    question: str
    outcome: Outcome
    text: str = ""
    mistake: str = ""


@dataclass(frozen=True)
class Visit:
    """seed: decides the order of questions and of their options. given: oldest first, one a question."""

    seed: int
    given: tuple[Given, ...] = ()

    def order(self, pool: Iterable[str]) -> tuple[str, ...]:
        """A shuffle in which two questions keep their order whatever else is in the pool."""
        return tuple(sorted(pool, key=lambda each: (random.Random(f"{self.seed} {each}").random(), each)))

    def next(self, pool: Iterable[str]) -> str | None:
        """The first of the pool that was not given yet; None once the pool is through."""
        seen = {each.question for each in self.given}
        return next((each for each in self.order(pool) if each not in seen), None)

    def of(self, question: str) -> Given | None:
        return next((each for each in self.given if each.question == question), None)

    def with_answer(self, given: Given) -> Visit:
        """An answer stays as it was given first; one that was skipped may still be answered."""
        before = self.of(given.question)
        if before is not None and before.outcome != "skipped":
            return self
        return replace(self.without({given.question}), given=(*self.without({given.question}).given, given))

    def without(self, questions: Collection[str]) -> Visit:
        """The same visit, in which these come again."""
        return replace(self, given=tuple(each for each in self.given if each.question not in questions))

    def count(self, outcome: Outcome, pool: Collection[str] | None = None) -> int:
        """How many ended so, of the pool if one is named."""
        return sum(each.outcome == outcome and (pool is None or each.question in pool) for each in self.given)

    def missed(self, pool: Collection[str]) -> tuple[Given, ...]:
        """Answered wrong or skipped, oldest first."""
        return tuple(each for each in self.given if each.outcome != "right" and each.question in pool)
