"""The controls of the gradient flow page: one value for each, in the link, and which of them a view heeds."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.ui import inference_choices as fields
from explorer.ui import lab

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
# What each view heeds; the others stay in their place, grey.
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
        view = fields.segments(
            st, "View", VIEWS, key="gview", default=START["gview"], label_visibility="collapsed"
        )
    chosen = _view_controls(top, view)
    with top:
        lab.reset(START)
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
            chosen["gnet"] = fields.segments(
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
    """The choices that make a random network, each always in its place."""
    heeded = set() if trained else set(_HEEDED[view])
    slots = st.columns([1.2, 1.5, 1.1, 1, 1.1, 0.9, 1.1, 1], gap="small")

    def off(key: str) -> bool:
        return key not in heeded

    bound: dict[str, Any] = {"bind": "query-params"}
    compared = slots[0].selectbox(
        "Compare",
        SWEEPS,
        key="gcompare",
        disabled=off("gcompare"),
        help="All values of this choice in one picture.",
        **bound,
    )
    if view == "Flow":
        heeded.discard(_SWEPT[compared])
    slots[1].slider(
        "Depth (layers)", 2, 200, START["gdepth"], 2, key="gdepth", disabled=off("gdepth"), **bound
    )
    slots[2].select_slider(
        "Width (channels)", (4, 8, 16, 32), START["gwidth"], key="gwidth", disabled=off("gwidth"), **bound
    )
    slots[3].selectbox("Activation", ACTIVATIONS, key="gact", disabled=off("gact"), **bound)
    slots[4].selectbox(
        "Initialisation",
        INITIALISATIONS,
        INITIALISATIONS.index(START["ginit"]),
        key="ginit",
        disabled=off("ginit"),
        **bound,
    )
    slots[5].selectbox("Norm", NORMS, key="gnorm", disabled=off("gnorm"), **bound)
    slots[6].selectbox(
        "Skip",
        SKIPS,
        key="gskip",
        disabled=off("gskip"),
        help="v1 activates after the addition (He et al. 2015); v2 leaves the way of the skips clean (2016).",
        **bound,
    )
    slots[7].select_slider(
        "Seeds", (1, 3, 5, 10), START["gseeds"], key="gseeds", disabled=off("gseeds"), **bound
    )
