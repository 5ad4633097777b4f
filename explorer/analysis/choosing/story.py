"""Which published weights stand for each network of the story: one set a milestone of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from explorer.analysis.choosing.candidates import Candidate
from explorer.catalogue import Architecture, milestones

# How a fact of the catalogue names the weights whose result it cites.
_TIMM = re.compile(r"timm results-imagenet\.csv: (\S+) at (\d+)")
_TORCHVISION = re.compile(r"torchvision (\S+)")


def story(candidates: Sequence[Candidate]) -> dict[int, Architecture]:
    """Place among the candidates -> the milestone it stands for, in the order of the story.

    Of a network's weights the ones whose result the catalogue cites first, else the first ones at the
    network's own size, else the first; a milestone of which there are none is left out.
    """
    of_entry: dict[str, list[int]] = {}
    for place, each in enumerate(candidates):
        of_entry.setdefault(each.architecture or "", []).append(place)
        of_entry.setdefault(each.weights, []).append(place)
    found: dict[int, Architecture] = {}
    for entry in milestones():
        names = entry.weights or (entry.id,)
        places = [place for name in names for place in of_entry.get(name, ()) if place not in found]
        if places:
            order = {identifier: number for number, identifier in enumerate(_cited(entry))}
            best = min(places, key=lambda place: _preference(candidates[place], entry, order))
            found[best] = entry
    return found


def _preference(each: Candidate, entry: Architecture, order: dict[str, int]) -> tuple[int, bool]:
    return order.get(each.id, len(order)), each.image_size != entry.image_size


def _cited(entry: Architecture) -> list[str]:
    """Ids of the candidates whose top-1 the catalogue cites, in its order."""
    found = []
    for fact in entry.facts.get("top1", ()):
        if timm := _TIMM.fullmatch(fact.source):
            found.append(f"timm:{timm[1]}@{timm[2]}")
        elif torchvision := _TORCHVISION.fullmatch(fact.source):
            found.append(f"torchvision:{torchvision[1]}")
    return found
