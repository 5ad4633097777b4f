"""Answers from the catalogue: years, winners, the ladder, published results, each with its source."""

from __future__ import annotations

from collections.abc import Sequence

from explorer import catalogue
from explorer.catalogue import Fact, IlsvrcEntry
from explorer.labs.quiz.values import Answer, Slip, number


def _fact(network: str, key: str, source: str) -> Fact:
    """The one published figure of `key` whose source begins so."""
    found = [fact for fact in catalogue.get(network).facts[key] if fact.source.startswith(source)]
    if len(found) != 1:
        raise ValueError(f"{network} has {len(found)} figures of {key} from {source!r}, not one")
    return found[0]


def _in_order(years: dict[str, int]) -> Answer:
    if len(set(years.values())) < len(years):
        raise ValueError(f"two of {years} are of one year, so that their order is open")
    right = tuple(sorted(years, key=years.__getitem__))
    return Answer(right, " → ".join(f"{name} {years[name]}" for name in right))


def by_year(networks: Sequence[str]) -> Answer:
    """Names, oldest first."""
    found = [catalogue.get(network) for network in networks]
    return _in_order({entry.name: entry.year for entry in found})


def methods_by_year(methods: Sequence[str]) -> Answer:
    """Hand-made methods by name, oldest first."""
    return _in_order({m.name: m.year for m in catalogue.timeline().handcrafted if m.id in methods})


def _winners() -> dict[int, IlsvrcEntry]:
    return {winner.year: winner for winner in catalogue.timeline().ilsvrc}


def winning_error(year: int) -> Answer:
    """Top-5 error in per cent of a year's winner; slips are the years around it."""
    winners = _winners()
    around = sorted((other for other in winners if other != year), key=lambda other: abs(other - year))
    fact = winners[year].top5_error
    return Answer(
        fact.value,
        f"{winners[year].name}, {fact.protocol}: {fact.value} %",
        tuple(
            Slip(winners[other].top5_error.value, f"is {winners[other].name}, {other}") for other in around
        ),
        ((f"{winners[year].name} {year}", fact),),
    )


def winner(year: int) -> Answer:
    winners = _winners()
    around = sorted((other for other in winners if other != year), key=lambda other: abs(other - year))
    fact = winners[year].top5_error
    return Answer(
        winners[year].name,
        f"{winners[year].name} won {year} with {fact.value} % top-5 error",
        tuple(Slip(winners[other].name, f"won {other}") for other in around),
        ((f"{winners[year].name} {year}", fact),),
    )


def first_below_people() -> Answer:
    """The first year whose winner erred less than the annotator."""
    human, winners = catalogue.timeline().human, _winners()
    below = [year for year, entry in sorted(winners.items()) if entry.top5_error.value < human.value]
    others = sorted((year for year in winners if year != below[0]), key=lambda year: abs(year - below[0]))
    winning = winners[below[0]]
    return Answer(
        str(below[0]),
        f"{winning.name} {winning.top5_error.value} % against {human.value} % of a person",
        tuple(
            Slip(str(year), f"is {winners[year].name} with {winners[year].top5_error.value} %")
            for year in others
        ),
        ((f"{winning.name} {below[0]}", winning.top5_error), ("a trained annotator", human)),
    )


def fall_between(first: int, last: int) -> Answer:
    """Points of top-5 error from one year's winner to another's."""
    years = first, last
    before, after = (_winners()[year].top5_error for year in years)
    fall = before.value - after.value
    return Answer(
        fall,
        f"{before.value} − {after.value} = {number(round(fall, 6))} points",
        (
            Slip(100 * fall / before.value, "is the relative fall in per cent"),
            Slip(after.value, "is the later error itself"),
            Slip(before.value, "is the earlier error itself"),
        ),
        tuple((f"{_winners()[year].name} {year}", _winners()[year].top5_error) for year in years),
    )


def removed_ceiling(network: str) -> Answer:
    """The idea on the ladder that belongs to a network; slips are the other rungs'."""
    rungs = catalogue.timeline().ladder
    place = next(index for index, rung in enumerate(rungs) if rung.architecture == network)
    around = sorted((n for n in range(len(rungs)) if n != place), key=lambda n: abs(n - place))
    return Answer(
        rungs[place].idea,
        f"{catalogue.get(network).name}. The ceiling: {rungs[place].ceiling}. The idea: {rungs[place].idea}",
        tuple(
            Slip(rungs[n].idea, f"is the idea of {catalogue.get(rungs[n].architecture).name}") for n in around
        ),
    )


def who_removed(network: str) -> Answer:
    """The network on whose rung a ceiling stands; slips are the other rungs' networks."""
    rungs = catalogue.timeline().ladder
    found = next(rung for rung in rungs if rung.architecture == network)
    name = catalogue.get(network).name
    return Answer(
        name,
        f"{name}: {found.idea}",
        tuple(
            Slip(catalogue.get(rung.architecture).name, f"removed another: {rung.ceiling}")
            for rung in reversed(rungs)
            if rung.architecture != network
        ),
    )


def ancestor(network: str, others: Sequence[str]) -> Answer:
    """The network it came from directly, beside `others` from which it did not."""
    entry = catalogue.get(network)
    wrong = [catalogue.get(other) for other in others]
    if set(others) & set(entry.came_from):
        raise ValueError(f"{network} did come from one of {others}")
    parents = [catalogue.get(parent) for parent in entry.came_from]
    return Answer(
        parents[0].name,
        f"{entry.name} came from {' and '.join(parent.name for parent in parents)}",
        tuple(Slip(each.name, f"is of {each.year}, on another line") for each in wrong),
    )


def better(networks: Sequence[str], sources: Sequence[str]) -> Answer:
    """The one with the higher published top-1. sources: where each figure is printed."""
    facts = {
        catalogue.get(network).name: _fact(network, "top1", source)
        for network, source in zip(networks, sources, strict=True)
    }
    right = max(facts, key=lambda name: facts[name].value)
    sizes = {
        catalogue.get(network).name: catalogue.get(network).facts["params"][0].value for network in networks
    }
    told = "; ".join(f"{name}: {fact.value} % with {sizes[name]:.1f} M" for name, fact in facts.items())
    return Answer(
        right,
        told,
        tuple(Slip(name, f"reaches {facts[name].value} %") for name in facts if name != right),
        tuple(facts.items()),
    )


def recipe_gain(network: str, sources: tuple[str, str]) -> Answer:
    """Points of top-1 between two sets of weights of one network."""
    old, new = (_fact(network, "top1", source) for source in sources)
    gain = new.value - old.value
    return Answer(
        gain,
        f"{new.value} − {old.value} = {number(round(gain, 6))} points",
        (
            Slip(0, "takes one network for one accuracy"),
            Slip(100 * gain / old.value, "is the relative gain in per cent"),
            Slip(100 - new.value, "is the error that is left"),
        ),
        ((old.note or old.source, old), (new.note or new.source, new)),
    )
