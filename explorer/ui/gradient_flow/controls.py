"""The controls of the gradient flow page: one value for each, in the link, and which of them a view heeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.kit.fields import reset, segments

_Control = Callable[[DeltaGenerator, str], None]
VIEWS = ("Flow", "Jacobians", "Paths", "The claim", "Activations")
SWEEPS = ("skip", "initialisation", "activation", "norm")
RANDOM, TRAINED = "random network", "trained ResNet-20"
# Equal to the keys of the labs' tables, which need torch; a test keeps them so.
ACTIVATIONS = ("ReLU", "GELU", "SiLU", "tanh", "sigmoid", "linear")
INITIALISATIONS = ("Kaiming", "Xavier", "naive", "orthogonal", "Fixup")
NORMS = ("none", "batch", "layer")
SKIPS = ("none", "ResNet v1", "ResNet v2")
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)

START: dict[str, Any] = {
    "gview": "Flow",
    "gcompare": "skip",
    "gdepth": 50,
    "gwidth": 16,
    "gact": "ReLU",
    "ginit": "naive",
    "gnorm": "none",
    "gskip": "none",
    "gseeds": 3,
    "gweights": False,
    "gnet": RANDOM,
    "gstrength": 0.01,
    "gerase": 0.0,
}
# What each view heeds; the others are not drawn and keep their values.
_HEEDED = {
    "Flow": {"gcompare", "gdepth", "gwidth", "gact", "ginit", "gnorm", "gskip", "gseeds"},
    "Jacobians": {"gdepth", "gwidth", "gact", "ginit", "gnorm", "gskip"},
    "Paths": {"gdepth", "gwidth", "gact", "ginit", "gnorm", "gskip"},
    "The claim": {"gwidth", "gact", "ginit", "gnorm"},
    "Activations": {"gdepth"},
}
_SWEPT = {"skip": "gskip", "initialisation": "ginit", "activation": "gact", "norm": "gnorm"}


@dataclass(frozen=True)
class Choices:
    """What the visitor chose. `sweep`: the choice of which all values are compared, in the view "Flow"."""

    view: str
    sweep: str
    depth: int
    width: int
    activation: str
    initialisation: str
    norm: str
    skip: str
    seeds: int
    weights: bool
    trained: bool
    strength: float
    erase: float

    @property
    def fields(self) -> dict[str, Any]:
        """What describes the random network, as `random_nets.Design` takes it."""
        return {
            name: getattr(self, name)
            for name in ("depth", "width", "activation", "initialisation", "norm", "skip")
        }


def rows() -> Choices:
    """Two rows: the view with what belongs to it alone, and the network. State only, torch is not needed."""
    top = st.container(horizontal=True, vertical_alignment="center", key="gradient_views")
    with top:
        view = segments(st, "View", VIEWS, key="gview", default=START["gview"], label_visibility="collapsed")
    chosen = _view_controls(top, view)
    with top:
        reset(START)
    _network(view, trained=chosen["gnet"] == TRAINED and view in ("Paths", "The claim"))
    state = {key: st.session_state.get(key, first) for key, first in START.items()} | chosen
    return Choices(
        view=view,
        sweep=state["gcompare"],
        depth=state["gdepth"],
        width=state["gwidth"],
        activation=state["gact"],
        initialisation=state["ginit"],
        norm=state["gnorm"],
        skip=state["gskip"],
        seeds=state["gseeds"],
        weights=state["gweights"],
        trained=state["gnet"] == TRAINED,
        strength=state["gstrength"],
        erase=state["gerase"],
    )


def _view_controls(row: Any, view: str) -> dict[str, Any]:
    chosen = {key: START[key] for key in ("gweights", "gnet", "gstrength", "gerase")}
    with row:
        if view == "Flow":
            chosen["gweights"] = st.toggle(
                "of the weights",
                key="gweights",
                bind="query-params",
                help="Gradient of the weights instead of the activations, and the share of units asleep.",
            )
        if view in ("Paths", "The claim"):
            chosen["gnet"] = segments(
                st, "Network", (RANDOM, TRAINED), key="gnet", default=RANDOM, label_visibility="collapsed"
            )
        if view == "The claim":
            chosen["gstrength"] = st.select_slider(
                "Strength of the branch",
                STRENGTHS,
                key="gstrength",
                value=START["gstrength"],
                bind="query-params",
                width=170,
                help="What F(x) is multiplied by before it is added.",
            )
            chosen["gerase"] = st.slider(
                "Erases (−x)",
                0.0,
                2.0,
                START["gerase"],
                0.1,
                key="gerase",
                bind="query-params",
                width=170,
                help="How much of its own input the branch takes away: F(x) − e · x.",
            )
    return chosen


def _network(view: str, *, trained: bool) -> None:
    """The choices that make a random network: those that the view heeds, the others keep their values."""
    heeded = set() if trained else set(_HEEDED[view])
    wide, row = sum(share for share, _ in _CONTROLS.values()), st.container()
    if "gcompare" in heeded:  # its value says which of the others is not drawn
        first = _CONTROLS["gcompare"][0]
        slot, row = row.columns([first, wide - first], gap="small")
        _CONTROLS["gcompare"][1](slot, "gcompare")
        heeded -= {"gcompare", _SWEPT[st.session_state["gcompare"]]}
        wide -= first
    drawn = [key for key in _CONTROLS if key in heeded]
    if not drawn:
        return
    shares = [_CONTROLS[key][0] for key in drawn]
    filler = max(wide - sum(shares), 0.01)
    for slot, key in zip(row.columns([*shares, filler], gap="small"), drawn, strict=False):
        _CONTROLS[key][1](slot, key)


def _menu(label: str, options: Sequence[str], help: str = "") -> _Control:
    def draw(slot: DeltaGenerator, key: str) -> None:
        first = options.index(START[key])
        slot.selectbox(label, options, first, key=key, help=help or None, **_KEPT)

    return draw


def _steps(label: str, options: Sequence[int]) -> _Control:
    def draw(slot: DeltaGenerator, key: str) -> None:
        slot.select_slider(label, options, START[key], key=key, **_KEPT)

    return draw


def _depth(slot: DeltaGenerator, key: str) -> None:
    slot.slider("Depth (layers)", 2, 200, START[key], 2, key=key, **_KEPT)


_KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "page"}
_SKIP_HELP = "v1 activates after the addition (He et al. 2015); v2 leaves the way of the skips clean (2016)."
# Key -> share of the row, and what draws it.
_CONTROLS: dict[str, tuple[float, _Control]] = {
    "gcompare": (1.2, _menu("Compare", SWEEPS, "All values of this choice in one picture.")),
    "gdepth": (1.5, _depth),
    "gwidth": (1.1, _steps("Width (channels)", (4, 8, 16, 32))),
    "gact": (1, _menu("Activation", ACTIVATIONS)),
    "ginit": (1.1, _menu("Initialisation", INITIALISATIONS)),
    "gnorm": (0.9, _menu("Norm", NORMS)),
    "gskip": (1.1, _menu("Skip", SKIPS, _SKIP_HELP)),
    "gseeds": (1, _steps("Seeds", (1, 3, 5, 10))),
}
