"""Which trained weights a network has, which of them are here, and how they get into it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType

import torch
from torch import nn

from explorer import catalogue
from explorer.networks import building
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.downloading import remove_if_damaged
from explorer.networks.entries import Network, WeightsEntry, WeightsUnavailable, first_sentence
from explorer.networks.fetching import DownloadFailed, Progress
from explorer.networks.inputs import InputSpec
from explorer.networks.labels import NO, YES, outputs_of
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import Reference, resolve

_SEED = 0


def weights_of(reference: Reference | str) -> tuple[WeightsEntry, ...]:
    """Trained weights of a network, its own builder's first.

    A build that the catalogue lists for an architecture also gets what the architecture's other builders
    have, and the folders of EXPLORER_WEIGHTS made for any of them. Random weights are never among them.
    """
    reference = _reference(reference)
    builds = _same_network(reference)
    found = [entry for build in builds for entry in building.builder(build.builder).entries(build.name)]
    architectures = tuple(build.name.partition(".")[0] for build in builds if build.builder == "timm")
    found += building.builder("zoo").listed(tuple(str(build) for build in builds))
    for kind in ("folder", "box"):
        found += building.builder(kind).listed(architectures)
    return tuple({entry.id: entry for entry in _preferred_first(reference, found)}.values())


def choose_weights(reference: Reference | str | None, weights_id: str | None = None) -> WeightsEntry:
    """The entry asked for, else the first that is on this machine, else the first there is; of the visitor's
    own network that has learnt nothing, random ones.

    reference: None for whichever network answers best without a download.
    Raises WeightsUnavailable if the network has none, ValueError if `weights_id` belongs to another network.
    """
    if reference is None:
        return entry_of(weights_id) if weights_id else _best_here()
    reference = _reference(reference)
    if weights_id:
        entry = entry_of(weights_id)
        if not fits(entry, reference):
            raise ValueError(f"{weights_id} holds weights of {entry.reference}, not of {reference}.")
        return entry
    found = weights_of(reference)
    if not found and reference.builder == "own":
        return _random_entry(str(reference))
    if not found:
        raise WeightsUnavailable(
            f"Nobody has published weights for {reference}; choose random:{reference} for an untrained one"
            f"{_here_instead()}."
        )
    return next((entry for entry in found if entry.on_this_machine), found[0])


def entry_of(weights_id: str) -> WeightsEntry:
    """The entry of this id, whether its file is here or not. Raises ValueError with what would be an id."""
    kind, _, name = weights_id.partition(":")
    if kind not in _KINDS or not name:
        kinds = ", ".join(f"{each}:" for each in _KINDS)
        raise ValueError(f"{weights_id[:80]!r} is no weights id; ids begin with {kinds}.")
    return _KINDS[kind](name)


def load(weights_id: str, progress: Progress | None = None) -> Network:
    """The network with these weights, downloaded if need be: on the CPU, in eval mode, parameters frozen.

    progress: called with the bytes that have arrived and the bytes in all, None where nobody says.
    Raises ValueError for an id that means nothing, WeightsUnavailable if the weights cannot be had or read,
    building.CannotBuild if the network passes this machine's budget.
    """
    entry = entry_of(weights_id)
    # Never under inference_mode: tensors made there can take no gradient, and a heatmap needs one.
    with torch.inference_mode(False):
        if entry.untrained:
            model = building.build(entry.reference, seed=_SEED)
            return network(entry, model, building.input_spec(entry.reference), ())
        source, path = _source(entry), entry.path
        try:
            building.check_budget(entry.reference)  # before a gigabyte arrives that may not be used
            path = source.fetch(entry, progress)
            model, spec, labels = source.read(entry, path)
        except UnknownNetwork:
            raise
        except (DownloadFailed, building.CannotBuild) as error:
            failed = error.__cause__ if isinstance(error, building.CannotBuild) else error
            if isinstance(failed, Misfit):
                raise _unreadable(entry, path, failed) from failed
            if not isinstance(failed, DownloadFailed):
                raise
            instead = _here_instead(entry.reference)
            raise WeightsUnavailable(f"{entry.id} cannot be had: {failed}{instead}.") from failed
        except Exception as error:  # a damaged file fails in as many ways as there are formats
            raise _unreadable(entry, path, error) from error
        return network(entry_of(weights_id), model, spec, labels)


def _unreadable(entry: WeightsEntry, path: Path | None, error: BaseException) -> WeightsUnavailable:
    reason = first_sentence(error)
    if path is not None and remove_if_damaged(path):
        reason += "; the file is damaged and has been removed, so ask again and it is fetched anew"
    return WeightsUnavailable(f"{entry.id} cannot be read: {reason}{_here_instead(entry.reference)}.")


def network(entry: WeightsEntry, model: nn.Module, spec: InputSpec, labels: tuple[str, ...]) -> Network:
    """The model made ready to look at pictures, in place. labels: class names by output; () for none."""
    building.prepared(model).requires_grad_(False)
    outputs = outputs_of(model)
    if outputs == "yes or no":
        labels = (labels[0], f"not {labels[0]}") if len(labels) == 1 else (YES, NO)
    return Network(model, entry.reference, entry, spec, labels, outputs)


def _random_entry(name: str) -> WeightsEntry:
    reference = resolve(name)
    return WeightsEntry(
        id=f"random:{reference}",
        reference=reference,
        label="Random weights: this network has learnt nothing",
        licence="none needed",
        remarks=("Its weights are random: neither the answer nor the map means anything.",),
    )


def _source(entry: WeightsEntry) -> ModuleType:
    return building.builder("box" if entry.id.startswith("box:") else entry.reference.builder)


def _same_network(reference: Reference) -> tuple[Reference, ...]:
    """This build, then the other builders' builds of the same architecture, if the catalogue equates them."""
    entry = catalogue.architectures().get(reference.architecture or "")
    if entry is None or str(reference) not in entry.builders:
        return (reference,)
    return (reference, *(resolve(build) for build in entry.builders if build != str(reference)))


def _preferred_first(reference: Reference, found: list[WeightsEntry]) -> list[WeightsEntry]:
    """Some entries of the catalogue are about one set of weights (the same network, a new recipe)."""
    entry = catalogue.architectures().get(reference.architecture or "")
    preferred = entry.weights if entry else ()
    return sorted(found, key=lambda each: each.id not in preferred)


def fits(entry: WeightsEntry, reference: Reference) -> bool:
    """Whether these are weights of this network, whoever builds it."""

    def plain(each: Reference) -> tuple[str, str]:
        return each.builder, each.name.partition(".")[0] if each.builder == "timm" else each.name

    if reference.architecture and entry.reference.architecture == reference.architecture:
        return True
    return plain(entry.reference) == plain(reference)


def _here_instead(reference: Reference | None = None) -> str:
    """What does work on this machine, as the end of a sentence: of the same network first."""
    own = weights_of(reference) if reference else ()
    # The same file may be known under two ids; the one that has just failed is under neither.
    asked = {entry.path for entry in own if reference == entry.reference}
    here = [entry for entry in (*own, *on_this_machine()) if entry.path and entry.path not in asked]
    ids = list({entry.path: entry.id for entry in here}.values())
    return f"; on this machine: {', '.join(ids[:6])}" if ids else ""


def _best_here() -> WeightsEntry:
    here = on_this_machine()
    if not here:
        raise WeightsUnavailable(
            "No trained network lies on this machine; install the packages of requirements.txt."
        )
    return here[0]


def on_this_machine() -> tuple[WeightsEntry, ...]:
    """The weights that need no download, best first: those in the box, the folders of EXPLORER_WEIGHTS, the
    visitor's own, and the zoo, whose networks know ten classes.
    """
    return tuple(
        each for kind in ("box", "folder", "own", "zoo") for each in building.builder(kind).all_entries()
    )


def _reference(reference: Reference | str) -> Reference:
    return resolve(reference) if isinstance(reference, str) else reference


_KINDS: Mapping[str, Callable[[str], WeightsEntry]] = MappingProxyType(
    {
        "torchvision": lambda name: building.builder("torchvision").entry(name),
        "timm": lambda name: building.builder("timm").entry(name),
        "zoo": lambda name: building.builder("zoo").entry(name),
        "box": lambda name: building.builder("box").entry(name),
        "folder": lambda name: building.builder("folder").entry(name),
        "local-dir": lambda name: building.builder("local-dir").entry(name),
        "own": lambda name: building.builder("own").entry(name),
        "hf-hub": lambda name: building.builder("hf-hub").entry(name),
        "random": _random_entry,
    }
)
