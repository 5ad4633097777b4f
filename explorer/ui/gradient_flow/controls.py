"""The controls of the gradient flow page, and which of them a view heeds."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.ui.kit import lab

VIEWS = ("Flow", "Jacobians", "Paths", "The claim", "Activations")
SWEEPS = ("skip", "initialisation", "activation", "norm")
RANDOM, TRAINED = "random network", "trained ResNet-20"
# Equal to the keys of the labs' tables, which need torch; a test keeps them so.
ACTIVATIONS = ("ReLU", "GELU", "SiLU", "tanh", "sigmoid", "linear")
INITIALISATIONS = ("Kaiming", "Xavier", "naive", "orthogonal", "Fixup")
NORMS = ("none", "batch", "layer")
SKIPS = ("none", "ResNet v1", "ResNet v2")
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)

_WEIGHTS = "Gradient of the weights instead of the activations, and the share of units asleep."
_STRENGTH = "What F(x) is multiplied by before it is added."
_ERASE = "How much of its own input the branch takes away: F(x) − e · x."
_SWEEP = "All values of this choice in one picture."
_SKIP = "v1 activates after the addition (He et al. 2015); v2 leaves the way of the skips clean (2016)."


@dataclass(frozen=True)
class Choices:
    """`sweep`: the choice of which all values are compared, in the view "Flow"."""

    view: str = lab.words("gview", "View", VIEWS, named=False)
    weights: bool = lab.toggle("gweights", "of the weights", help=_WEIGHTS)
    network: str = lab.words("gnet", "Network", (RANDOM, TRAINED), named=False)
    strength: float = lab.steps(
        "gstrength", "Strength of the branch", STRENGTHS, 0.01, width=170, help=_STRENGTH
    )
    erase: float = lab.slider("gerase", "Erases (−x)", 0.0, 2.0, 0.0, 0.1, width=170, help=_ERASE)
    sweep: str = lab.menu("gcompare", "Compare", SWEEPS, kept=True, help=_SWEEP)
    depth: int = lab.slider("gdepth", "Depth (layers)", 2, 200, 50, 2, kept=True)
    width: int = lab.steps("gwidth", "Width (channels)", (4, 8, 16, 32), 16, kept=True)
    activation: str = lab.menu("gact", "Activation", ACTIVATIONS, kept=True)
    initialisation: str = lab.menu("ginit", "Initialisation", INITIALISATIONS, "naive", kept=True)
    norm: str = lab.menu("gnorm", "Norm", NORMS, kept=True)
    skip: str = lab.menu("gskip", "Skip", SKIPS, kept=True, help=_SKIP)
    seeds: int = lab.steps("gseeds", "Seeds", (1, 3, 5, 10), 3, kept=True)

    @property
    def trained(self) -> bool:
        return self.network == TRAINED

    @property
    def fields(self) -> dict[str, Any]:
        """What describes the random network, as `random_networks.Design` takes it."""
        return {
            name: getattr(self, name)
            for name in ("depth", "width", "activation", "initialisation", "norm", "skip")
        }


# Of the second row: which controls each view heeds, and their shares of the row's width.
_HEEDED = {
    "Flow": {"sweep", "depth", "width", "activation", "initialisation", "norm", "skip", "seeds"},
    "Jacobians": {"depth", "width", "activation", "initialisation", "norm", "skip"},
    "Paths": {"depth", "width", "activation", "initialisation", "norm", "skip"},
    "The claim": {"width", "activation", "initialisation", "norm"},
    "Activations": {"depth"},
}
_SHARES = {
    "sweep": 1.2,
    "depth": 1.5,
    "width": 1.1,
    "activation": 1,
    "initialisation": 1.1,
    "norm": 0.9,
    "skip": 1.1,
    "seeds": 1,
}


def rows(controls: lab.Controls[Choices]) -> Choices:
    """Two rows: the view with what belongs to it alone, and the network."""
    trained = False
    with st.container(horizontal=True, vertical_alignment="center", key="gradient_views"):
        view = controls.draw("view")
        if view == "Flow":
            controls.draw("weights")
        if view in ("Paths", "The claim"):
            trained = controls.draw("network") == TRAINED
        if view == "The claim":
            controls.draw("strength")
            controls.draw("erase")
        controls.reset()
    _network(controls, set() if trained else set(_HEEDED[view]))
    return controls.chosen()


def _network(controls: lab.Controls[Choices], heeded: set[str]) -> None:
    """The choices that make a random network; the others keep their values."""
    wide, row = sum(_SHARES.values()), st.container()
    if "sweep" in heeded:  # its value says which of the others is not drawn
        first = _SHARES["sweep"]
        slot, row = row.columns([first, wide - first], gap="small")
        heeded -= {"sweep", controls.draw("sweep", slot)}
        wide -= first
    drawn = [name for name in _SHARES if name in heeded]
    if not drawn:
        return
    shares = [_SHARES[name] for name in drawn]
    filler = max(wide - sum(shares), 0.01)
    for slot, name in zip(row.columns([*shares, filler], gap="small"), drawn, strict=False):
        controls.draw(name, slot)
