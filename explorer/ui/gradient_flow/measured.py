"""The numbers of the gradient flow page, measured once for all visitors: they depend on its choices only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.ui.gradient_flow.controls import Choices

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.labs.gradients.flow import Flow, Jacobians
    from explorer.labs.gradients.paths import Paths, Step
    from explorer.labs.gradients.random_networks import Design
    from explorer.labs.gradients.skip_claim import Trials

Found = TypeVar("Found")
Fields = tuple[tuple[str, object], ...]
"""Names and values of a `Design`, hashable and cheap to hash."""

_TRAINED = "zoo:resnet20"


@st.cache_data(max_entries=256, show_spinner=False)
def flow(fields: Fields, seeds: int) -> Flow:
    from explorer.labs.gradients import flow as gradient_flow

    return gradient_flow.measure(_design(fields), range(seeds))


@st.cache_data(max_entries=64, show_spinner=False)
def jacobians(fields: Fields) -> Jacobians:
    from explorer.labs.gradients import flow as gradient_flow

    return gradient_flow.jacobians(_design(fields))


@st.cache_data(max_entries=64, show_spinner=False)
def path_sums(fields: Fields | None) -> Paths:
    """None: of the trained network."""
    from explorer.labs.gradients import paths

    if fields is not None:
        return paths.measure(*paths.random_steps(_design(fields)))
    return _with_trained(paths.measure)


@st.cache_data(max_entries=64, show_spinner=False)
def trials(fields: Fields | None) -> Trials:
    """None: of the trained network."""
    from explorer.labs.gradients import skip_claim

    if fields is not None:
        return skip_claim.random_trials(_design(fields))
    return _with_trained(skip_claim.trained_trials)


def _with_trained(measure: Callable[[list[Step], Tensor], Found]) -> Found:
    """`measure` on the zoo's ResNet-20, with the sample pictures that come with the app."""
    import torch

    from explorer.inference import SAMPLES, decode
    from explorer.inference.preprocessing import prepare
    from explorer.labs.gradients import paths
    from explorer.serving import pool

    with pool.shared().lease(_TRAINED) as network:
        pictures = [prepare(decode(sample.load()), network.input).x for sample in SAMPLES.values()]
        device = next(network.model.parameters()).device
        return measure(*paths.trained_steps(network.model, torch.cat(pictures).to(device)))


def _design(fields: Fields) -> Design:
    from explorer.labs.gradients.random_networks import Design

    return Design(**dict(fields))  # type: ignore[arg-type]


def key(choices: Choices, **changes: object) -> Fields:
    """The network that was chosen, with `changes`."""
    return tuple((choices.fields | changes).items())
