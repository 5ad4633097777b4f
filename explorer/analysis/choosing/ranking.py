"""Published weights ranked by what they are wanted for, and which wish keeps the others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

from explorer.analysis.choosing.candidates import Candidate, tested_apart
from explorer.analysis.choosing.constraints import Wishes, reasons
from explorer.analysis.choosing.pareto import Better


@dataclass(frozen=True)
class Give:
    """What dropping one constraint brings. gained: how many candidates it alone keeps out. best: of these the
    first in the ranking, which is better than all that pass. gain: by how much, in the measure's unit and
    positive; None where nothing passes, nobody knows the measure of what does, or the two were not tested
    alike: apart says in words how. nearest: of those that are better than the best that passes, whose number
    misses the limit by the smallest factor; None where the constraint is no number."""

    constraint: str
    gained: int
    best: Candidate
    gain: float | None
    apart: tuple[str, ...]
    nearest: Candidate | None


@dataclass(frozen=True)
class Choice:
    """kept: best first. broken: of every other, by id, the constraints it breaks. unmeasured: how many break
    a constraint because nobody knows their number. gives: of the constraints that alone keep out somebody
    better than all that pass, the one that gains most first. nearest: who breaks fewest, best first of
    these; None where any passes."""

    kept: tuple[Candidate, ...]
    broken: Mapping[str, tuple[str, ...]]
    unmeasured: Mapping[str, int]
    gives: tuple[Give, ...]
    nearest: Candidate | None

    def knocked_out(self) -> Mapping[str, tuple[int, int]]:
        """Constraint -> (how many break it, how many break nothing else)."""
        found = dict.fromkeys((name for names in self.broken.values() for name in names), (0, 0))
        for names in self.broken.values():
            for name in names:
                several, alone = found[name]
                found[name] = several + 1, alone + (len(names) == 1)
        return found


def choose(
    candidates: Sequence[Candidate], wishes: Wishes, measure: str = "top1", better: Better = "more"
) -> Choice:
    """measure: what is best, `better` its good direction."""
    broken: dict[str, tuple[str, ...]] = {}
    unmeasured: Counter[str] = Counter()
    for candidate in candidates:
        judged = reasons(candidate, wishes)
        failed = tuple(name for name, each in judged.items() if not each.holds)
        unmeasured.update(name for name, each in judged.items() if each.value is None)
        if failed:
            broken[candidate.id] = failed
    ordered = ranked(candidates, measure, better)
    kept = tuple(each for each in ordered if each.id not in broken)
    fewest = min(map(len, broken.values()), default=0)
    nearest = next((each for each in ordered if len(broken.get(each.id, ())) == fewest), None)
    return Choice(
        kept,
        MappingProxyType(broken),
        MappingProxyType(unmeasured),
        _gives(ordered, kept, broken, wishes, _Gain(measure, better, kept)),
        None if kept else nearest,
    )


@dataclass(frozen=True)
class _Gain:
    """How much better a candidate is than the first of those that pass."""

    measure: str
    better: Better
    kept: Sequence[Candidate]

    def of(self, each: Candidate) -> float | None:
        """In the measure's unit; None where nothing passes or one of both values is not known."""
        new = each.value(self.measure)
        old = self.kept[0].value(self.measure) if self.kept else None
        return None if new is None or old is None else (new - old if self.better == "more" else old - new)

    def apart(self, each: Candidate) -> tuple[str, ...]:
        """What sets its test apart from that of the first that passes; () where the two can be subtracted."""
        return tested_apart(self.measure, self.kept[0], each) if self.kept else ()

    def is_one(self, each: Candidate) -> bool:
        """Whatever is known is better than nothing and than what nobody knows."""
        gain = self.of(each)
        return not self.kept or (each.value(self.measure) is not None if gain is None else gain > 0)


def ranked(candidates: Iterable[Candidate], measure: str, better: Better) -> list[Candidate]:
    """Best first, what the measure misses last; of equals the one with fewer parameters."""
    sign = -1 if better == "more" else 1

    def place(each: Candidate) -> tuple[float, float, str]:
        value = each.value(measure)
        return (inf if value is None else sign * value, each.values.get("params", inf), each.id)

    return sorted(candidates, key=place)


def one_a_network(ordered: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """The candidates of every network by its reference; networks in the order of their first."""
    found: dict[str, list[Candidate]] = {}
    for each in ordered:
        found.setdefault(each.reference, []).append(each)
    return found


def _gives(
    ordered: Sequence[Candidate],
    kept: Sequence[Candidate],
    broken: Mapping[str, tuple[str, ...]],
    wishes: Wishes,
    gain: _Gain,
) -> tuple[Give, ...]:
    alone: dict[str, list[Candidate]] = {}
    for each in ordered:
        names = broken.get(each.id, ())
        if len(names) == 1:
            alone.setdefault(names[0], []).append(each)
    place = {each.id: number for number, each in enumerate(ordered)}
    gives = [
        Give(
            name,
            len(those),
            those[0],
            None if gain.apart(those[0]) else gain.of(those[0]),
            gain.apart(those[0]),
            _nearest(list(filter(gain.is_one, those)), name, wishes),
        )
        for name, those in alone.items()
        if gain.is_one(those[0])
    ]
    return tuple(sorted(gives, key=lambda give: place[give.best.id]))


def _nearest(those: Sequence[Candidate], constraint: str, wishes: Wishes) -> Candidate | None:
    missed: list[tuple[float, int]] = []
    for place, each in enumerate(those):
        reason = reasons(each, wishes)[constraint]
        if isinstance(reason.value, (int, float)) and isinstance(reason.limit, (int, float)):
            low, high = sorted((reason.value, reason.limit))
            missed.append((high / low if low > 0 else inf, place))
    return those[min(missed)[1]] if missed else None
