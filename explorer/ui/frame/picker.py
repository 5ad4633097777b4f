"""The architecture picker shared by all pages: catalogue names, or any name that a builder knows, typed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit as st

from explorer import catalogue
from explorer.networks import zoo
from explorer.networks.own import registry
from explorer.networks.registries import names
from explorer.ui.frame import state

_WIDGET = "picker"
_NAME = "name:"  # before the value of an option that stands for what would be typed


def options() -> dict[str, str]:
    """What the picker offers: the visitor's own networks and the catalogue, then every name that a builder
    knows and the catalogue's ids. A typed name that is an option is found; one that is none would first be
    offered as new, however well it is known.
    """
    return _options(tuple(registry.registered()))


@cache
def _options(own_names: tuple[str, ...]) -> dict[str, str]:
    known = (catalogue.architectures(), *names().values())
    by_name = {f"{_NAME}{name}": name for each in known for name in each}
    return _own_first(own_names) | by_name


def _own_first(own_names: Iterable[str]) -> dict[str, str]:
    """Value for the URL -> label."""
    return {f"own:{name}": f"{name} · yours" for name in own_names} | catalogued()


@cache
def catalogued() -> dict[str, str]:
    """The list: value for the URL -> label, by family in catalogue order, then by year; the zoo.

    A variant stands below its architecture under its own reference, unless it is an entry of its own. No
    label stands twice: Streamlit tells options apart by what they show, and would swap one for the other.
    """
    labels: dict[str, str] = {}
    own = {entry.name for entry in catalogue.architectures().values()}
    for entry in _by_family():
        family = catalogue.FAMILIES[entry.family].name
        labels[entry.id] = f"{entry.name} · {entry.year} · {family}"
        for variant, reference in entry.variants.items():
            if variant not in own:
                labels.setdefault(reference, f"{variant} · {entry.year} · {family}")
    return labels | {f"zoo:{name}": f"{zoo.ZOO[name].title} · comes with the app" for name in zoo.names()}


def entry_of(name: str) -> catalogue.Architecture | None:
    """The catalogue entry that `name` stands for: its id, or one of its variants' or builders' references."""
    known = catalogue.architectures()
    return known.get(name) or known.get(_ids_by_reference().get(name, ""))


def draw(*, empty: bool) -> None:
    """The select box, empty or on the current choice. Typing searches; other names are taken as typed."""
    labels = options()
    st.session_state[_WIDGET] = None if empty else state.arch()
    st.selectbox(
        "Architecture",
        list(labels),
        index=None,  # or a browser that has not heard of the choice yet would pick the first of the list
        required=True,
        format_func=lambda name: labels.get(name) or _titled(name),
        key=_WIDGET,
        on_change=_picked,
        accept_new_options=True,
        label_visibility="collapsed",
        icon=":material/search:",
        placeholder="Choose an architecture, or type a name",
        help="The catalogue, and any name that timm or torchvision knows; also `timm:NAME`, "
        "`torchvision:NAME`, `zoo:NAME`, `hf-hub:NAME`, `folder:NAME` and `local-dir:PATH`.",
    )


def _titled(name: str) -> str:
    """A folder by its name alone: the screen may be a projector's."""
    return Path(name).name if name.startswith("local-dir:") else name


def reference(name: str):
    """`networks.resolve(name)`; an unknown name becomes a sentence and the default architecture."""
    from explorer import networks  # torch: only pages that build networks pay for it

    try:
        return networks.resolve(name)
    except networks.UnknownNetwork as unknown:
        fallback = catalogue.get(state.DEFAULT_ARCH)
        st.warning(f"{unknown} Showing {fallback.name} instead.", icon=":material/help:")
        return networks.resolve(fallback.id)


def _picked() -> None:
    name = st.session_state[_WIDGET]
    if name:
        state.choose(listed(name))


def listed(typed: str) -> str:
    """The value in the list that a typed text means: its name in full, else the first that it is part of.

    Enter hands over what was typed even while the list shows matches: "vgg" must not become a network's name.
    A text that no option contains ("resnet26t", "hf-hub:timm/...") is a name for the builders.
    """
    known, labels = typed.startswith(_NAME), _own_first(registry.registered())
    typed = typed.removeprefix(_NAME)
    if typed in labels:
        return typed
    wanted = _plain(typed)
    shown = {value: _plain(label.split(" · ")[0]) for value, label in labels.items()}
    exact = (value for value, name in shown.items() if wanted in (name, _plain(value)))
    partial = (value for value, name in shown.items() if wanted and wanted in name)
    return next(exact, None) or (typed if known else next(partial, typed))


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _by_family() -> list[catalogue.Architecture]:
    order = list(catalogue.FAMILIES)
    return sorted(
        catalogue.architectures().values(), key=lambda entry: (order.index(entry.family), entry.year)
    )


@cache
def _ids_by_reference() -> dict[str, str]:
    """The entry that a reference stands for: whose first choice it is, else whose other, oldest first."""
    entries = catalogue.architectures().values()
    ids: dict[str, str] = {}
    for entry in entries:
        for reference in entry.builders[:1]:
            ids.setdefault(reference, entry.id)
    for entry in entries:
        for reference in (*entry.builders, *entry.variants.values()):
            ids.setdefault(reference, entry.id)
    return ids
