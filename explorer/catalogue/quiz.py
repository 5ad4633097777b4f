"""The quiz's questions as data: what is asked, where its answer comes from, what to look at afterwards.

`data/quiz/TOPIC.toml` holds one table a question. A question either names a function of
`explorer.labs.quiz.answering` that computes its answer from `arguments`, or writes its options down and
cites where the right one stands.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from explorer.catalogue.architectures import architectures
from explorer.catalogue.reading import CatalogueError, Entry, read_toml
from explorer.catalogue.sources import DATA, sources

# By name of the file, in the order in which they are offered.
TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "history": "History",
        "cost": "Cost",
        "field": "Receptive field",
        "normalisation": "Normalisation",
        "skips": "Skip connections",
        "efficiency": "Efficiency",
        "inference": "Inference",
    }
)
LEVELS: Mapping[int, str] = MappingProxyType({1: "Easy", 2: "Medium", 3: "Hard"})

Kind = Literal["choice", "number", "pair", "order"]
_WRITTEN_WRONG = {"choice": 3, "pair": 1}  # wrong options of a question whose options are written down


@dataclass(frozen=True)
class Question:
    """text: as the reader sees it, arguments filled in. level: a key of LEVELS.

    answer, arguments: the function of the labs that gives the answer and what it is given; "" where `right`
    and `wrong` are written down and `source` (in words, with `url`) says where that is printed.
    per: the answer is shown divided by this, in `unit`. tolerance: share of the right number that a typed one
    may be off. why: the lesson, after the answer. see, see_label: a page of this app that shows it.
    """

    id: str
    topic: str
    level: int
    kind: Kind
    text: str
    answer: str
    arguments: Mapping[str, Any] = field(hash=False)
    right: str
    wrong: tuple[str, ...]
    source: str
    url: str
    unit: str
    per: float
    tolerance: float
    why: str
    see: str
    see_label: str

    @property
    def computed(self) -> bool:
        return bool(self.answer)


def _argument(entry: Entry, name: str, value: Any) -> Any:
    """A list becomes a tuple; what names networks must be ids of the catalogue."""
    value = tuple(value) if isinstance(value, list) else value
    if name in ("network", "networks"):
        for identifier in value if isinstance(value, tuple) else (value,):
            if identifier not in architectures():
                raise entry.error(f"arguments.{name}", f"{identifier!r} is not an entry of the catalogue")
    return value


def _words(name: str, value: Any) -> str:
    """An argument as a sentence has it: networks by their names, a list with commas."""
    if isinstance(value, tuple):
        return ", ".join(_words(name, each) for each in value)
    if name in ("network", "networks"):
        return architectures()[value].name
    return str(value).replace("-", "−") if isinstance(value, int | float) else str(value)


def _filled(entry: Entry, name: str, arguments: Mapping[str, Any]) -> str:
    """The text of a field with the arguments in their places: {kernel}×{kernel}."""
    text = entry.text(name)
    asked = {each for _, each, _, _ in string.Formatter().parse(text) if each is not None}
    for each in sorted(asked - arguments.keys()):
        raise entry.error(name, f"{{{each}}} is not one of its arguments ({', '.join(arguments) or 'none'})")
    return text.format_map({key: _words(key, value) for key, value in arguments.items()})


def _source(entry: Entry) -> tuple[str, str]:
    text = entry.text("source", "")
    if not text:
        return "", ""
    cited = sources().cite(text)
    if cited is None:
        raise entry.error("source", f"{text!r} cites nothing registered in sources.toml")
    return cited


def _options(entry: Entry, question: Question) -> None:
    """Either a function or written options, never both."""
    if question.computed:
        if question.right or question.wrong:
            raise entry.error("right", "stands beside `answer`; one of the two")
        return
    expected = _WRITTEN_WRONG.get(question.kind)
    if expected is None:
        raise entry.error("answer", f"is missing: a question of kind {question.kind!r} is computed")
    if not question.right or len(question.wrong) != expected:
        raise entry.error("wrong", f"expected `right` and {expected} others, got {len(question.wrong)}")
    if len({question.right, *question.wrong}) != expected + 1:
        raise entry.error("wrong", "holds an option twice")
    if not question.source:
        raise entry.error("source", "is missing: what is not computed is cited")


def _question(file: str, topic: str, identifier: str, fields: Any) -> Question:
    entry = Entry(file, identifier, fields)
    names = entry.table("arguments").names()
    arguments = {name: _argument(entry, name, fields["arguments"][name]) for name in names}
    kind = entry.text("kind")
    if kind not in get_args(Kind):
        raise entry.error("kind", f"{kind!r} is not one of {', '.join(get_args(Kind))}")
    source, url = _source(entry)
    question = Question(
        id=identifier,
        topic=topic,
        level=entry.integer("level"),
        kind=kind,  # type: ignore[arg-type]  # one of them, as was just seen
        text=_filled(entry, "text", arguments),
        answer=entry.text("answer", ""),
        arguments=MappingProxyType(arguments),
        right=entry.text("right", ""),
        wrong=entry.texts("wrong", ()),
        source=source,
        url=url,
        unit=entry.text("unit", ""),
        per=entry.number("per") if "per" in fields else 1.0,
        tolerance=entry.number("tolerance") if "tolerance" in fields else 0.0,
        why=_filled(entry, "why", arguments),
        see=entry.text("see"),
        see_label=entry.text("see_label"),
    )
    entry.close()
    _checked(entry, question)
    return question


def _checked(entry: Entry, question: Question) -> None:
    if question.level not in LEVELS:
        raise entry.error("level", f"{question.level} is not one of {', '.join(map(str, LEVELS))}")
    if question.per <= 0:
        raise entry.error("per", f"expected a number above 0, got {question.per}")
    if not 0 <= question.tolerance <= 0.05:
        raise entry.error("tolerance", f"expected a share from 0 to 0.05, got {question.tolerance}")
    if not question.see.startswith("/"):
        raise entry.error("see", f"{question.see!r} is no page of this app; write /PAGE?PARAMETER=VALUE")
    _options(entry, question)


def read_questions(folder: Path) -> Mapping[str, Question]:
    """Every question of every topic's file, by id, topics in their order.

    Raises CatalogueError naming file, entry and field for anything unknown, missing, mistyped or dangling.
    """
    found: dict[str, Question] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stem not in TOPICS:
            raise CatalogueError(f"{path.name}: is none of the topics {', '.join(TOPICS)}")
    for topic in TOPICS:
        path = folder / f"{topic}.toml"
        for identifier, fields in read_toml(path).items() if path.exists() else ():
            if identifier in found:
                where = f"{found[identifier].topic}.toml"
                raise CatalogueError(f"{path.name}: {identifier}: stands in {where} too")
            found[identifier] = _question(path.name, topic, identifier, fields)
    return MappingProxyType(found)


@cache
def questions() -> Mapping[str, Question]:
    """The project's questions, read and validated at the first call."""
    return read_questions(DATA / "quiz")
