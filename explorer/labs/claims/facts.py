"""Checks of claims that only a publication can bear out: they look up cited facts, and say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer import catalogue
from explorer.catalogue import claims
from explorer.catalogue.facts import Fact
from explorer.labs.claims.values import Measured
from explorer.labs.claims.verdicts import scale


def published(facts: Sequence[Mapping[str, str]], error: bool = False) -> Measured:
    """Values of cited facts, each named as {of, key, where}; error: 100 % less the value.

    of: an architecture's id, "ilsvrc 2015", "human", or "claims" for a fact that belongs to no entry.
    where: words that stand in the source or the protocol of one of the facts, and of no other.
    """
    found = [fact(**each) for each in facts]
    values = tuple(100 - each.value if error else each.value * scale(each.unit) for each in found)
    told = [f"{each.value:.6g} {each.unit}, {each.source}{_protocol(each)}" for each in found]
    return Measured(values, "; ".join(told), "cited")


def _protocol(of: Fact) -> str:
    return f" ({of.protocol})" if of.protocol else ""


def fact(of: str, key: str = "top1", where: str = "") -> Fact:
    """The one fact that fits; ValueError where none does, or several do."""
    known = [each for each in _facts(of, key) if where in f"{each.source}, {each.protocol}"]
    if len(known) != 1:
        raise ValueError(f"{len(known)} facts {key!r} of {of!r} hold the words {where!r}, not one")
    return known[0]


def _facts(of: str, key: str) -> tuple[Fact, ...]:
    if of == "claims":
        return (claims.facts()[key],)
    if of == "human":
        return (catalogue.timeline().human,)
    if of.startswith("ilsvrc "):
        return tuple(
            each.top5_error for each in catalogue.timeline().ilsvrc if str(each.year) == of.split()[1]
        )
    return catalogue.get(of).facts.get(key, ())


def largest_step(facts: Sequence[Mapping[str, str]]) -> Measured:
    """The largest difference between one fact and the next."""
    found = published(facts)
    steps = [after - before for before, after in zip(found.values, found.values[1:], strict=False)]
    return Measured((max(steps),), found.how, found.basis)


def naming(key: str, words: Sequence[str]) -> Measured:
    """1 for each word that a fact of no entry names in its protocol, 0 for each that it does not."""
    found = claims.facts()[key]
    named = tuple(float(word.lower() in found.protocol.lower()) for word in words)
    told = f"{' and '.join(map(repr, words))} in what {found.source} says: {found.protocol}"
    return Measured(named, told, "cited")
