"""The stack builder: windows added one by one, what the top unit reads, what it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, fields, formatting
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.lab import Controls

if TYPE_CHECKING:
    from explorer.labs.receptive_field.window_stack import Window

STACK = "rfstack"
FIRST = "3,3,3"
PRESETS: Mapping[str, str] = {
    "Two 3×3": "3,3",
    "Three 3×3": "3,3,3",
    "One 7×7": "7",
    "Dilated 1, 2, 4": "3,3d2,3d4",
    "Dilated 2, 2, 2": "3d2,3d2,3d2",
    "Stem of ResNet": "7s2,3s2",
}
WIDTHS = (16, 32, 64, 128, 256, 512)
_NEXT, _REFUSED = "rf_next_window", "_stack_refused"
_HEIGHT = 350


def stack() -> tuple[Window, ...]:
    """The link's stack; three 3×3 where it names none or nonsense."""
    from explorer.labs.receptive_field.window_stack import parse

    try:
        return parse(fields.get(STACK) or FIRST)
    except ValueError:
        state.not_understood(STACK, fields.get(STACK))
        return parse(FIRST)


def show(controls: Controls[Any], here: Page) -> None:
    from explorer.labs.receptive_field import window_stack as windows
    from explorer.ui.receptive_field import figures

    built = stack()
    channels = _row(built, controls)
    if refused := st.session_state.pop(_REFUSED, ""):
        st.warning(formatting.plain(refused), icon=":material/error:")
    st.markdown(_headline(built, channels))
    left, right = st.columns([7, 5], gap="medium")
    with left:
        show_figure(figures.cone(built, windows.read_places(built), dark=here.dark), here, "rf_cone", _HEIGHT)
    with right:
        show_figure(figures.weigh(_rivals(built, channels), dark=here.dark), here, "rf_weights", _HEIGHT - 90)
    explain.look_for(
        "Two 3×3 see what one 5×5 sees and three what one 7×7 sees, for fewer weights and with an activation "
        "after each. Give them dilation 2 all three: the field grows on, but which pixels are skipped?"
    )


def _row(built: tuple[Window, ...], controls: Controls[Any]) -> int:
    from explorer.labs.receptive_field import window_stack as windows

    kernel, stride, dilation, add, remove, presets, width = st.columns(
        [1.3, 1.2, 1.2, 1.1, 1.3, 3.2, 1.8], vertical_alignment="bottom"
    )
    k = kernel.selectbox(
        "Kernel", windows.KERNELS, index=1, key=f"{_NEXT}_kernel", format_func=lambda n: f"{n}×{n}"
    )
    s = stride.selectbox("Stride", windows.STRIDES, key=f"{_NEXT}_stride")
    d = dilation.selectbox("Dilation", windows.DILATIONS, key=f"{_NEXT}_dilation")
    taller = ",".join(map(str, (*built, windows.Window(k, s, d))))
    add.button("Add", icon=":material/add:", key="rf_add", on_click=_put, args=(taller,), width="stretch")
    remove.button(
        "Remove", icon=":material/remove:", key="rf_remove", on_click=_put,
        args=(",".join(map(str, built[:-1])),), disabled=len(built) == 1, width="stretch",
        help="Takes the top layer off.",
    )  # fmt: skip
    now = ",".join(map(str, built))
    by_stack = {text: name for name, text in PRESETS.items()}
    st.session_state["rf_preset"] = by_stack.get(now)
    presets.selectbox(
        "Ready-made",
        list(PRESETS),
        index=None,
        key="rf_preset",
        placeholder="Your own stack",
        on_change=_preset,
    )
    channels: int = controls.draw("channels", width)
    return channels


def _put(text: str) -> None:
    from explorer.labs.receptive_field.window_stack import parse

    try:
        parse(text)
    except ValueError as refused:
        st.session_state[_REFUSED] = str(refused)
        return
    st.session_state[STACK] = text


def _preset() -> None:
    if name := st.session_state["rf_preset"]:
        st.session_state[STACK] = PRESETS[name]


def _rivals(built: tuple[Window, ...], channels: int) -> dict[str, tuple[int, int]]:
    """This stack, and one window and a stack of plain 3×3 that see as far, where those are others."""
    from explorer.labs.receptive_field import window_stack as windows

    side = windows.field_size(built)
    others = {
        "this stack": built,
        f"one {side}×{side}": (windows.Window(side),),
        f"{side // 2} × 3×3": (windows.Window(3),) * (side // 2),
    }
    return {
        name: (windows.weights(each, channels), windows.weights(each, 1))
        for name, each in others.items()
        if name == "this stack" or (each and each != built)
    }


def _headline(built: tuple[Window, ...], channels: int) -> str:
    from explorer.labs.receptive_field import window_stack as windows

    side, many, holes = windows.field_size(built), len(built), windows.gaps(built)
    own, one = windows.weights(built, channels), windows.weights([windows.Window(side)], channels)
    text = (
        f"{f'{many} layers see' if many > 1 else 'One layer sees'} **{side} × {side} pixels** with "
        f"**{windows.weights(built, 1)} C² = {formatting.exact(own)}** weights"
    )
    if many > 1 or holes:
        text += (
            f"; one {side}×{side} would need {side**2} C² = {formatting.exact(one)}, "
            f"{formatting.three_digits(one / own)} times as many"
        )
    text += f". The stack has room for {many} activation{'s' if many > 1 else ''}."
    if holes:
        text += f" **{holes} of the {side}** pixels along each axis are never read."
    if windows.jump(built) > 1:
        text += f" Neighbouring units are {windows.jump(built)} pixels apart."
    return text
