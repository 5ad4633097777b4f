"""Claims of the sources, checked: every check by name, and what each claim comes to.

The claims are data (`explorer.catalogue.claims`), the checks are functions of five modules by subject, the
verdict follows from both (`verdicts`). A check that cannot run gives an error with its reason, never silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import Any

from explorer.catalogue.claims import Claim, Way
from explorer.labs.claims import arithmetic, behaviour, facts, values
from explorer.labs.claims import networks as of_networks
from explorer.labs.claims.results import Finding, Result, found
from explorer.labs.claims.values import Check, Measured
from explorer.labs.claims.verdicts import ERROR, verdict

_SIMPLE: tuple[Check, ...] = (
    of_networks.total,
    of_networks.share,
    of_networks.with_classes,
    of_networks.classifier_inputs,
    of_networks.layer,
    of_networks.modules,
    of_networks.paths_of,
    of_networks.operations,
    of_networks.share_of_modules,
    of_networks.running_numbers,
    of_networks.starts_at,
    of_networks.blocks,
    of_networks.input_side,
    of_networks.scaling_steps,
    of_networks.weights_crop,
    of_networks.classes,
    of_networks.times_the_latency,
    arithmetic.written_out,
    arithmetic.for_one_more_place,
    arithmetic.stack,
    arithmetic.output_side,
    arithmetic.compound,
    arithmetic.compound_cost,
    arithmetic.power,
    arithmetic.number,
    arithmetic.dense_connections,
    arithmetic.label_targets,
    arithmetic.optimiser_numbers,
    arithmetic.timm_names,
    arithmetic.imagenet_constants,
    facts.published,
    facts.largest_step,
    facts.naming,
    behaviour.worked_example,
    behaviour.undone,
    behaviour.batch_of_one,
    behaviour.cells_per_statistic,
    behaviour.batch_noise,
    behaviour.company_changes,
    behaviour.train_mode,
    behaviour.train_mode_again,
    behaviour.gate_reached,
    behaviour.grn_differs,
    behaviour.derivative,
    behaviour.lowest_slope,
    behaviour.gelu_by_tanh,
    behaviour.gradient_reaches,
    behaviour.activations_keep,
    behaviour.skip_shortens,
    behaviour.blocked_branch,
    behaviour.equivariance,
    behaviour.effective_area,
    behaviour.deeper_twin,
)
COMBINING = MappingProxyType(
    {
        "ratio": values.ratio,
        "difference": values.difference,
        "saving": values.saving,
        "increase": values.increase,
    }
)
"""Checks that take two others, `of` and `to`, each a table with a check of its own."""


def _combine(name: str, of: Mapping[str, Any], to: Mapping[str, Any]) -> Measured:
    return COMBINING[name](*values.combined(CHECKS, of, to))


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        **{check.__name__: check for check in _SIMPLE},
        **{name: partial(_combine, name) for name in COMBINING},
    }
)


def measure(claim: Claim, way: Way) -> Finding:
    """One way of a claim. Raises KeyError for a check that is none, and whatever the check raises."""
    return found(claim, way, CHECKS[way.check](**way.arguments))


def check(claim: Claim) -> Result:
    """The claim's verdict; whatever a check raises becomes an "error" with its reason."""
    begun = perf_counter()
    findings: list[Finding] = []
    try:
        findings.extend(measure(claim, way) for way in claim.ways)
        comes_to = verdict(claim.expected, [each.values for each in findings])
        return Result(claim, tuple(findings), comes_to, perf_counter() - begun)
    except Exception as problem:
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
        return Result(claim, tuple(findings), ERROR, perf_counter() - begun, reason)


def functions(claim: Claim) -> tuple[Check, ...]:
    """The code behind a claim's numbers: its checks, and those they are put together from."""
    found: dict[Check, None] = {}

    def note(name: str, arguments: Mapping[str, Any]) -> None:
        found[COMBINING.get(name) or CHECKS[name]] = None
        for part in ("of", "to") if name in COMBINING else ():
            note(arguments[part]["check"], arguments[part])

    for way in claim.ways:
        note(way.check, way.arguments)
    return tuple(found)


def is_timed(claim: Claim) -> bool:
    """Whether a clock has a say in its values, which then are others at every turn."""
    return of_networks.times_the_latency in functions(claim)
