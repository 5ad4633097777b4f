"""Up to six maps of one photo beside each other, and how far they agree."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit import fields, lab, once, theme
from explorer.ui.kit.ending import end
from explorer.ui.kit.explain import folded
from explorer.ui.kit.formatting import distinct, plain, share, three_digits
from explorer.ui.picture import weights
from explorer.ui.picture.parts import data_url

if TYPE_CHECKING:
    from PIL import Image

    from explorer.labs.many_maps import Map
    from explorer.networks import Network, WeightsEntry
    from explorer.ui.picture.current import Picture

METHODS, NETWORKS, LAYERS, CLASSES = "Methods", "Networks", "Layers", "Classes"
ONE, OTHER, _NETWORKS = "mone", "mother", "mnetworks"
_FIRST_METHODS = ("Grad-CAM", "Grad-CAM++", "LayerCAM", "EigenCAM", "Saliency", "Input × gradient")
_MOST = 6
_PIXELS = 420  # wide is a picture; a projector shows it so
_LOOKING = "Looking: about two seconds, the largest networks up to a minute …"
_LOOKING_LONG = "Looking: methods of many passes take up to minutes …"


LOOK_FOR: Mapping[str, str] = MappingProxyType(
    {
        METHODS: (
            "Maps of one answer need not agree: some weigh channels, some pixels, and EigenCAM asks for no "
            "class at all. Where all light up the same place, believe it more; where one stands alone, ask "
            "for its proof on the Inference page."
        ),
        NETWORKS: (
            "Do they look at the same thing, and do those that answer alike look alike? What is dimmed, a "
            "network’s crop cuts off."
        ),
        LAYERS: (
            "Early maps are fine and follow edges, the last is coarse and sits on the thing. Where does the "
            "thing begin to show?"
        ),
        CLASSES: (
            "The first two maps may look the same: what speaks for both classes drops out in the last two, "
            "which show what decides between them."
        ),
    }
)


@dataclass(frozen=True)
class Choices:
    see: str = lab.words("msee", "What differs", (METHODS, NETWORKS, LAYERS, CLASSES))
    methods: tuple[str, ...] = lab.several("mmethods", "Methods", _FIRST_METHODS, _FIRST_METHODS, _MOST)
    networks: str = lab.hidden(_NETWORKS)
    method: str = lab.menu("mmethod", "Method", _FIRST_METHODS[:1])
    one: str = lab.hidden(ONE)
    other: str = lab.hidden(OTHER)


@dataclass(frozen=True, eq=False)
class _Shown:
    """A map as it stands on the screen. url: of the picture, "" where there is none; answer: of the network;
    milliseconds: forward and backward.
    """

    of: Map
    url: str = ""
    answer: str = ""
    milliseconds: float = 0.0


def method_at_a_layer(controls: lab.Controls[Choices], slot) -> str:
    """A quick one that asks for a class, for the views in which something else differs."""
    from explorer.inference import METHODS as KNOWN

    offered = [
        name
        for name, each in KNOWN.items()
        if each.at == "layer" and each.of_a_class and not each.long and not each.limits
    ]
    return controls.draw("method", slot, options=offered)


def by_method(controls: lab.Controls[Choices], slot, picture: Picture, weights_id: str) -> None:
    from explorer.inference import METHODS as KNOWN
    from explorer.labs import many_maps

    long = ", ".join(name for name, each in KNOWN.items() if each.long)
    asked = f"{long} take many passes, up to minutes for a large network."
    chosen = controls.draw("methods", slot, options=list(KNOWN), help=asked)
    methods = tuple(chosen) or _FIRST_METHODS
    found = _asked(
        weights_id,
        (picture.digest, METHODS, methods),
        picture,
        lambda network: many_maps.by_method(network, picture.image, methods),
        _LOOKING_LONG if any(KNOWN[name].long for name in methods) else _LOOKING,
    )
    _show(found, picture, f"Of {len(found)} methods")
    _test(found, picture, weights_id)


def by_layer(controls: lab.Controls[Choices], slot, picture: Picture, weights_id: str) -> None:
    from explorer.labs import many_maps

    method = method_at_a_layer(controls, slot)
    found = _asked(
        weights_id,
        (picture.digest, LAYERS, method),
        picture,
        lambda network: many_maps.by_layer(network, picture.image, method),
    )
    _show(found, picture, f"Of {len(found)} layers")
    _test(found, picture, weights_id)


def by_class(controls: lab.Controls[Choices], slot, picture: Picture, weights_id: str) -> None:
    """The two likeliest classes, unless the link names others."""
    from explorer import inference
    from explorer.labs import many_maps

    def look(network: Network) -> tuple[tuple[str, ...], tuple[int, ...]]:
        found = inference.explain(network, picture.image)
        return network.labels, tuple(each.index for each in found.predictions)

    slots = slot.columns(3, vertical_alignment="bottom")
    method = method_at_a_layer(controls, slots[0])
    labels, likeliest = once.ask("likeliest", weights_id, (picture.digest,), look, _LOOKING)
    if len(likeliest) < 2:
        st.info("This network has no two classes to set against each other.", icon=":material/info:")
        end()
    named = distinct(dict(enumerate(labels)) or {index: f"output {index}" for index in likeliest})
    options = [*likeliest, *(index for index in named if index not in likeliest)]
    one = _class(ONE, options)
    other = _class(OTHER, [index for index in options if index != one])
    for place, label, name, shown in ((slots[1], "Why", ONE, one), (slots[2], "and not", OTHER, other)):
        fields.select(
            place,
            label,
            name,
            options if name == ONE else [index for index in options if index != one],
            shown=shown,
            choose=partial(_choose, name),
            format_func=named.__getitem__,
            help="The likeliest five first, then all others. Type to search.",
        )
    found = _asked(
        weights_id,
        (picture.digest, CLASSES, method, one, other),
        picture,
        lambda network: many_maps.by_class(network, picture.image, method, one, other),
    )
    _show(found, picture, "Of these four")


def _choose(name: str, index: int) -> None:
    st.session_state[name] = str(index)


def _class(name: str, options: Sequence[int]) -> int:
    """The class of the link, if it is one of these, else the first of them."""
    asked = fields.get(name)
    index = fields.whole_number(asked, 0, max(options)) if asked else None
    if index is not None and index in options:
        return index
    if asked:
        state.not_understood(name, asked)
    return options[0]


def by_network(slot, picture: Picture, method: str) -> None:
    """One network after the other; those to come keep their places, so that nothing jumps."""
    from explorer import networks
    from explorer.labs.many_maps import Map

    entries = {entry.id: entry for entry in weights.trained_here()}
    ids = _networks(slot, entries) or list(entries)[:3]
    names = distinct({each: weights.short(entries[each]) for each in ids})
    says, place = st.empty(), st.empty()
    found: list[_Shown] = []
    for at, each in enumerate(ids):
        says.markdown(f"Looking, {at + 1} of {len(ids)}: about a second each …")
        place.html(_grid(found, [names[later] for later in ids[at:]], picture.image))
        try:
            found += once.once(
                "map of a network",
                (picture.digest, each, method),
                partial(_of_network, each, names[each], method, picture),
            )
        except (networks.WeightsUnavailable, RuntimeError, ValueError) as error:
            found.append(_Shown(Map(names[each], None, str(error))))
    with says:
        _say(found, f"Of {len(found)} networks")
    place.html(_grid(found, (), picture.image))


def _networks(slot, entries: Mapping[str, WeightsEntry]) -> list[str]:
    """Ids of the weights that the link names, to choose others from."""
    asked = list(filter(None, fields.get(_NETWORKS).split(",")))
    chosen = [each for each in dict.fromkeys(asked) if each in entries][:_MOST]
    if left_out := [each for each in asked if each not in chosen]:
        state.not_understood(_NETWORKS, ",".join(left_out))
    named = distinct({each: weights.named(entry) for each, entry in entries.items()})
    box = f"{_NETWORKS}_box"
    st.session_state[box] = chosen
    slot.multiselect(
        "Networks",
        list(named),
        key=box,
        format_func=named.__getitem__,
        max_selections=_MOST,
        placeholder="The first three on this machine",
        help="Trained weights that lie on this machine; more come through the Inference page.",
        on_change=lambda: st.session_state.update({_NETWORKS: ",".join(st.session_state[box])}),
    )
    return chosen


def _of_network(weights_id: str, name: str, method: str, picture: Picture) -> tuple[_Shown, ...]:
    from explorer.labs import many_maps
    from explorer.labs.many_maps import Map
    from explorer.serving import pool

    def look(network: Network) -> tuple[_Shown, ...]:
        (found,) = many_maps.by_method(network, picture.image, (method,))
        return _drawn([Map(name, found.explanation, found.why)], picture)

    return pool.shared().run(weights_id, look).value


def _asked(
    weights_id: str,
    key: tuple[Hashable, ...],
    picture: Picture,
    look: Callable[[Network], Iterable[Map]],
    says: str = _LOOKING,
) -> tuple[_Shown, ...]:
    return once.ask("many maps", weights_id, key, lambda network: _drawn(look(network), picture), says)


def _drawn(maps: Iterable[Map], picture: Picture) -> tuple[_Shown, ...]:
    from explorer.inference.overlay import over_the_whole

    shown = []
    for each in maps:
        if (found := each.explanation) is None:
            shown.append(_Shown(each))
            continue
        drawn = data_url(over_the_whole(found, picture.image, _PIXELS), lossless=False)
        first = found.predictions[0] if found.predictions else None
        answer = f"{first.label}, {share(first.probability, 1)}" if first else ""
        spent = 1000 * (found.seconds["forward"] + found.seconds["backward"])
        shown.append(_Shown(each, drawn, answer, spent))
    return tuple(shown)


def _show(found: Sequence[_Shown], picture: Picture, of: str) -> None:
    _say(found, of)
    st.html(_grid(found, (), picture.image, answers=False))


def _say(found: Sequence[_Shown], of: str) -> None:
    """Which two are farthest apart."""
    from explorer.labs.many_maps import farthest

    if apart := farthest([each.of for each in found]):
        one, other, alike = apart
        st.markdown(
            f"{of}, **{plain(one.title)}** and **{plain(other.title)}** agree least: rank correlation "
            f"**{_signed(alike)}**, where 1 is the same order of places and 0 is chance."
        )
    else:
        st.markdown("There are no two maps here that could be compared.")


def _test(found: Sequence[_Shown], picture: Picture, weights_id: str) -> None:
    """Folded below maps of one network: which of them may be believed, as a table."""
    maps = [(each.of.title, each.of.explanation) for each in found]
    maps = [(title, of) for title, of in maps if of and of.explained and not of.blank]

    def fill() -> None:
        from explorer.inference.proof import BLOB, RANDOM, THIS, prove

        proofs = once.ask(
            "tested maps",
            weights_id,
            (picture.digest, *((of.method, of.layer, of.target) for _, of in maps if of)),
            lambda network: [prove(network, picture.image, of) for _, of in maps if of],
            f"About a hundred changed pictures for each of {len(maps)} maps: some ten seconds each …",
        )
        rows: dict[str, list[str]] = {"": [title for title, _ in maps]}
        rows["deletion ↓"] = [f"{each.area(each.deletion, THIS):.2f}" for each in proofs]
        rows["insertion ↑"] = [f"{each.area(each.insertion, THIS):.2f}" for each in proofs]
        rows["drop of probability ↓"] = [share(each.average_drop, 1) for each in proofs]
        rows["under random weights ↓"] = [
            _signed(each.randomised[-1][1]) if each.randomised else "not asked" for each in proofs
        ]
        rows["moved with the picture ↑"] = [
            _signed(each.moved[1]) if each.moved else "not asked" for each in proofs
        ]
        st.table(rows)
        first = proofs[0]
        chance = ", ".join(
            f"{name}: deletion {first.area(first.deletion, name):.2f}, "
            f"insertion {first.area(first.insertion, name):.2f}"
            for name in (RANDOM, BLOB)
        )
        st.caption(
            "Areas under the curves of deletion and insertion; the share of the probability that is lost "
            "where the picture is dimmed by the map; rank correlations with the map under random weights and "
            f"with the map of the moved picture. By chance, beside the first map: {chance}. Arrows say which "
            "way is better; methods of many passes are not asked again."
        )

    if maps:
        folded("Which of them may be believed? Test all", fill, key="test_maps", icon=":material/fact_check:")


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _grid(
    found: Sequence[_Shown], waiting: Sequence[str], image: Image.Image, *, answers: bool = True
) -> str:
    """All maps in even cells; those that are still to come keep theirs."""
    style = f'style="--ratio: {image.width / image.height:.4f}"'
    cells = []
    for each in found:
        title = escape(each.of.title)
        alt = f"The picture with the heatmap of {title}"
        seen = f'<img src="{each.url}" alt="{alt}" {style}>' if each.url else f"<div {style}></div>"
        told = "".join(f"<p>{escape(line)}</p>" for line in _lines(each, found[0], answers=answers))
        cells.append(f"<figure>{seen}<figcaption><b>{title}</b>{told}</figcaption></figure>")
    cells += [
        f"<figure><div {style}></div><figcaption><b>{escape(name)}</b><p>…</p></figcaption></figure>"
        for name in waiting
    ]
    even = " two" if len(cells) in (2, 4) else ""
    return (
        f"<style>{theme.asset('many_maps/view.css')}</style>"
        f'<div class="many-maps{even}">{"".join(cells)}</div>'
    )


def _lines(shown: _Shown, first: _Shown, *, answers: bool) -> list[str]:
    """What is said of a map beside it."""
    from explorer.labs.many_maps import agreement

    explanation = shown.of.explanation
    if explanation is None:
        return [shown.of.why]
    lines = [shown.answer] if answers and shown.answer else []
    if explanation.blank:
        lines.append(explanation.blank)
    elif shown is not first and first.of.explanation:
        alike = agreement(first.of.explanation, explanation)
        lines += [] if alike is None else [f"agrees {_signed(alike)} with the first"]
    return [*lines, f"{three_digits(shown.milliseconds)} ms here"]


def code(see: str) -> tuple[Callable[..., Any], ...]:
    """The functions behind a view."""
    from explorer.labs import many_maps

    made: Mapping[str, Callable[..., Any]] = {LAYERS: many_maps.ladder, CLASSES: many_maps.by_class}
    return (*((made[see],) if see in made else ()), many_maps.agreement)
