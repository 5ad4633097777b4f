"""Claims of the documents the project grew from: what each says in its own few words, and how it is checked.

`data/claims/NNN.toml` holds one table a claim of document NNN. A claim has one way of checking it, or several
where it leaves the protocol open; each names a check of `explorer.labs.claims.checking` with its arguments.
What is expected is kept as printed, because its last digit says how exactly it is meant; where the document
prints no number ("a third", "the same"), `says` states the bound that it is put to. `data/claims/facts.toml`
holds published numbers that a check needs and that belong to no entry of the catalogue.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explorer.catalogue.architectures import Architecture, architectures
from explorer.catalogue.facts import Fact
from explorer.catalogue.reading import Entry, read_toml
from explorer.catalogue.sources import DATA, Document, Sources, read_fact, sources

FOLDER = DATA / "claims"
FACTS = "facts.toml"
TOPICS = (
    "Parameters",
    "MACs and time",
    "Accuracy",
    "Structure",
    "Receptive field",
    "Gradients",
    "Normalisation",
    "Scaling",
    "Roadmap",
    "Training",
)
RELATIONS = ("equals", "above", "below", "at least", "at most", "between")
ABOUT = re.compile(r"[~≈]|\b(?:about|roughly|approximately|around|nearly|almost)\b", re.IGNORECASE)
"""What calls a printed number inexact, in the words that are quoted."""
MOST_WORDS = 10  # of a quotation; a number with a point in it counts as two
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Expected:
    """What the document prints: values as printed, in `unit`; their last digits say how exact they are.

    relation: how what is measured must stand to the values; "between" takes two of them, the lower first.
    about: the quotation itself calls them inexact, by one of the signs and words of ABOUT.
    """

    values: tuple[Decimal, ...]
    unit: str
    relation: str = "equals"
    about: bool = False


@dataclass(frozen=True)
class Way:
    """One way to check a claim: a check of `explorer.labs.claims.checking`, and what it is asked.

    protocol: what distinguishes this way from the others of the claim; "" where there is only one.
    """

    check: str
    arguments: Mapping[str, Any]
    protocol: str = ""


@dataclass(frozen=True)
class Claim:
    """quote: a few words of the document, as they stand there; says: the claim in our words. where: section.

    comment: one line that defends the verdict. subject: the catalogue's architecture it is about, or "".
    see: page of this app that shows it, with its parameters, or "".
    """

    id: str
    document: Document
    where: str
    quote: str
    says: str
    topic: str
    subject: str
    expected: Expected
    ways: tuple[Way, ...]
    comment: str
    see: str

    @property
    def source(self) -> str:
        """ "Towards AI, part 1": as prose cites it."""
        return f"{self.document.name}, {self.where}"


def read_claims(path: Path, registry: Sources, known: Mapping[str, Architecture]) -> dict[str, Claim]:
    """The claims of one file, which is named after its document; CatalogueError where it is malformed."""
    found = {}
    for name, fields in read_toml(path).items():
        entry = Entry(path.name, name, fields)
        if path.stem not in registry.documents:
            raise entry.error("", f"{path.stem!r} is not a document of sources.toml")
        found[name] = _claim(name, entry, registry.documents[path.stem], known)
        entry.close()
    return found


def _claim(name: str, entry: Entry, document: Document, known: Mapping[str, Architecture]) -> Claim:
    quote, subject = entry.text("quote"), entry.text("subject", "")
    words = len(_WORD.findall(quote))
    if words > MOST_WORDS:
        raise entry.error("quote", f"has {words} words; {MOST_WORDS} are the most")
    if subject and subject not in known:
        raise entry.error("subject", f"{subject!r} is not an entry of the catalogue")
    return Claim(
        id=name,
        document=document,
        where=entry.text("where"),
        quote=quote,
        says=entry.text("says"),
        topic=_one_of(entry, "topic", TOPICS),
        subject=subject,
        expected=_expected(entry, quote),
        ways=_ways(entry),
        comment=entry.text("comment"),
        see=entry.text("see", f"architecture?arch={subject}" if subject else ""),
    )


def _expected(entry: Entry, quote: str) -> Expected:
    printed = entry.texts("expected")
    if not printed:
        raise entry.error("expected", "holds no value")
    values = []
    for position, text in enumerate(printed):
        try:
            values.append(Decimal(text))
        except InvalidOperation:
            raise entry.error(f"expected[{position}]", f"expected a number, got {text!r}") from None
    relation = _one_of(entry, "relation", RELATIONS, "equals")
    if relation == "between" and (len(values) != 2 or values[0] >= values[1]):
        raise entry.error("expected", "between takes two values, the lower first")
    return Expected(tuple(values), entry.text("unit", ""), relation, ABOUT.search(quote) is not None)


def _ways(entry: Entry) -> tuple[Way, ...]:
    tables = entry.tables("ways")
    if not tables:
        raise entry.error("ways", "holds no check")
    ways = []
    for table in tables:
        check, protocol = table.text("check"), table.text("protocol", "")
        if len(tables) > 1 and not protocol:
            raise table.error("protocol", "is missing: it tells the ways apart")
        ways.append(Way(check, MappingProxyType(table.rest()), protocol))
    return tuple(ways)


def _one_of(entry: Entry, field: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    text = entry.text(field, default)
    if text not in allowed:
        raise entry.error(field, f"{text!r} is not one of {', '.join(allowed)}")
    return text


@cache
def claims() -> Mapping[str, Claim]:
    """All claims by id, in the order of the documents; read and validated at the first call."""
    found: dict[str, Claim] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        if path.name == FACTS:
            continue
        for name, claim in read_claims(path, sources(), architectures()).items():
            if name in found:
                raise Entry(path.name, name, {}).error("", "the id is used in another file too")
            found[name] = claim
    return MappingProxyType(found)


@cache
def facts() -> Mapping[str, Fact]:
    """Published numbers that belong to no entry of the catalogue, by name."""
    found = {}
    for name, fields in read_toml(FOLDER / FACTS).items():
        entry = Entry(FACTS, name, fields)
        found[name] = read_fact(entry, sources(), entry.text("unit"))
    return MappingProxyType(found)
