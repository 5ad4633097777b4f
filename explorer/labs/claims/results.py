"""What a claim comes to when it is checked.

No torch is imported: a page can show results that were kept before it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.catalogue.claims import Claim, Way
from explorer.labs.claims.values import Measured
from explorer.labs.claims.verdicts import match, scale


@dataclass(frozen=True)
class Finding:
    """One way of a claim, measured; `values` in the claim's unit."""

    way: Way
    values: tuple[float, ...]
    measured: Measured


@dataclass(frozen=True)
class Result:
    """verdict: one of `verdicts.VERDICTS`, or "error" with the reason; then findings are those before it."""

    claim: Claim
    findings: tuple[Finding, ...]
    verdict: str
    seconds: float
    error: str = ""

    @property
    def basis(self) -> str:
        """ "computed", "cited", or both where the ways differ."""
        return " and ".join(sorted({each.measured.basis for each in self.findings}))

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it. measured: one list of values a way, beside its protocol."""
        claim = self.claim
        return {
            "id": claim.id,
            "source": claim.source,
            "claim": claim.says,
            "expected": {
                "values": [float(each) for each in claim.expected.values],
                "printed": [str(each) for each in claim.expected.values],
                "relation": claim.expected.relation,
                "about": claim.expected.about,
            },
            "measured": [
                {
                    "values": list(each.values),
                    "match": match(claim.expected, each.values),
                    "protocol": each.way.protocol,
                    "basis": each.measured.basis,
                    "how": each.measured.how,
                }
                for each in self.findings
            ],
            "verdict": self.verdict,
            "unit": claim.expected.unit,
            "basis": self.basis,
            "quote": claim.quote,
            "topic": claim.topic,
            "comment": claim.comment,
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


def found(claim: Claim, way: Way, measured: Measured) -> Finding:
    """What was measured, with its values in the claim's unit."""
    unit = scale(claim.expected.unit)
    return Finding(way, tuple(value / unit for value in measured.values), measured)
