"""The controls of a lab, declared once: a dataclass with a field for each.

    @dataclass(frozen=True)
    class Choices:
        view: str = lab.words("gview", "View", ("Flow", "Paths"))
        depth: int = lab.slider("gdepth", "Depth (layers)", 2, 200, 50)

    controls = lab.begin(Choices)
    controls.draw("view")
    controls.reset()
    choices = controls.chosen()

Of each control: its name in the link, its label, its options or range, its value where the link says nothing.
What else is given goes to Streamlit's widget: help, width, and so on. `kept`: the control keeps its value in
views that do not draw it; the others have their first value there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from explorer.ui.kit import fields

C = TypeVar("C", covariant=True)


@dataclass(frozen=True)
class Control:
    """widget: the method of a Streamlit container that draws it, "" for a field that is not shown."""

    key: str
    first: Any
    widget: str
    arguments: Mapping[str, Any]
    kept: bool

    def draw(self, slot: Any, **changes: Any) -> Any:
        if changes.keys() & {"min_value", "max_value"}:
            changes |= {"value": self._inside(**changes)}
        arguments = {**self.arguments, **changes}
        found = getattr(slot, self.widget)(key=self.key, bind="query-params", **arguments)
        return self.first if found is None else found  # a link says "key=" alone

    def _inside(self, **changes: Any) -> Any:
        """The first value in a range that depends on other choices; a value of before that it does not hold
        goes back to it.
        """
        limits = {**self.arguments, **changes}
        low, high = limits["min_value"], limits["max_value"]
        first = min(self.first, high)
        if not low <= st.session_state.get(self.key, low) <= high:
            st.session_state[self.key] = first
        return first


def _declared(key: str, first: Any, widget: str, kept: bool = False, **arguments: Any) -> Any:
    if kept:
        arguments["persist_state"] = "page"
    return dataclasses.field(
        default=first, metadata={"control": Control(key, first, widget, arguments, kept)}
    )


def words(key: str, label: str, options: Sequence[str], *, named: bool = True, **more: Any) -> Any:
    """One of a few words, side by side, of which one is always pressed, at first the first.

    named: whether the label is shown.
    """
    more["label_visibility"] = "visible" if named else "collapsed"
    more |= {"label": label, "options": options, "default": options[0], "required": True}
    return _declared(key, options[0], "segmented_control", **more)


def menu(key: str, label: str, options: Sequence[str], first: str = "", **more: Any) -> Any:
    """One of many words, at first the first if none is named."""
    first = first or options[0]
    more |= {"label": label, "options": options, "index": options.index(first)}
    return _declared(key, first, "selectbox", **more)


def several(
    key: str, label: str, options: Sequence[str], first: Sequence[str], most: int, **more: Any
) -> Any:
    """Some of a few words, at most `most`."""
    more |= {"label": label, "options": options, "default": list(first), "max_selections": most}
    return _declared(key, tuple(first), "multiselect", **more)


def slider(key: str, label: str, low: Any, high: Any, first: Any, step: Any = None, **more: Any) -> Any:
    more |= {"label": label, "min_value": low, "max_value": high, "value": first, "step": step}
    return _declared(key, first, "slider", **more)


def steps(key: str, label: str, options: Sequence[Any], first: Any, **more: Any) -> Any:
    """A slider over a few values, as over powers of two."""
    return _declared(key, first, "select_slider", label=label, options=options, value=first, **more)


def toggle(key: str, label: str, **more: Any) -> Any:
    return _declared(key, False, "toggle", label=label, **more)


def text(key: str, label: str, first: str, **more: Any) -> Any:
    return _declared(key, first, "text_input", label=label, value=first, **more)


def hidden(key: str, first: Any = "") -> Any:
    """A field of the link that is not shown, because the page draws something else for it."""
    return _declared(key, first, "", kept=True)


def elsewhere(key: str, first: Any) -> Any:
    """A control that another room draws; here it is put back with the others."""
    return _declared(key, first, "elsewhere", kept=True)


def _controls(of: type[Any]) -> dict[str, Control]:
    return {field.name: field.metadata["control"] for field in dataclasses.fields(of)}


def first_values(of: type[Any]) -> dict[str, Any]:
    """By name in the link: what the controls begin with."""
    return {control.key: control.first for control in _controls(of).values()}


class Controls(Generic[C]):
    """Of one run of a page; made by `begin`."""

    def __init__(self, of: type[C]) -> None:
        self._of, self._known = of, _controls(of)
        self._drawn: dict[str, Any] = {}

    def draw(self, name: str, slot: Any = st, **changes: Any) -> Any:
        """Draw a control by the name of its field. changes: to its range or options, where these depend on
        other choices.
        """
        self._drawn[name] = value = self._known[name].draw(slot, **changes)
        return value

    def reset(self) -> None:
        """A button that puts all of them back."""
        fields.reset(first_values(self._of))

    def chosen(self) -> C:
        """What the visitor chose."""
        return self._of(
            **{
                name: self._drawn[name]
                if name in self._drawn
                else st.session_state.get(control.key, control.first)
                if control.kept
                else control.first
                for name, control in self._known.items()
            }
        )


def begin(of: type[C], *more: str) -> Controls[C]:
    """The controls that this dataclass declares. What is not shown is tied to the link at once.

    more: names in the link that other rooms read, such as "sample" and "weights".
    """
    unseen = [control.key for control in _controls(of).values() if not control.widget]
    if unseen or more:
        fields.bound(*more, *unseen)
    return Controls(of)
