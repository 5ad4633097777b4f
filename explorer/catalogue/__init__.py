"""What is KNOWN, without torch: architectures, the timeline, sources, published results.

`data/architectures/*.toml` holds one table an architecture (another size of the same paper is a short table
with `variant_of`), `data/timeline.toml` the scoreboard, `data/sources.toml` everything a figure may cite.
`reading` rejects whatever a file may not say; `facts` and `sources` are the published number and where it is
printed; `architectures` and `timeline` hand out frozen values, read once, at the first call. `claims` holds
what the documents say in numbers, with the way to check it (`data/claims/*.toml`).
"""

from explorer.catalogue.architectures import (
    FAMILIES,
    Architecture,
    Family,
    architectures,
    families,
    get,
    led_to,
    milestones,
)
from explorer.catalogue.facts import FACT_UNITS, Fact, Paper
from explorer.catalogue.reading import CatalogueError
from explorer.catalogue.sources import Document, Sources, sources
from explorer.catalogue.timeline import HandcraftedMethod, IlsvrcEntry, Rung, Timeline, timeline

__all__ = [
    "FACT_UNITS",
    "FAMILIES",
    "Architecture",
    "CatalogueError",
    "Document",
    "Fact",
    "Family",
    "HandcraftedMethod",
    "IlsvrcEntry",
    "Paper",
    "Rung",
    "Sources",
    "Timeline",
    "architectures",
    "families",
    "get",
    "led_to",
    "milestones",
    "sources",
    "timeline",
]
