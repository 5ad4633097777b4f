"""What the page on inductive bias shows; networks are asked here, under a lease, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isinf, isnan
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.inductive_bias import figures
from explorer.ui.kit import fields, lab, once
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import plain, share
from explorer.ui.picture import weights

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from explorer.labs.inductive_bias.shifts import Equivariance, Sweep
    from explorer.networks import Network
    from explorer.ui.picture.current import Picture

T = TypeVar("T")

RIVAL, LAYER, RIVAL_LAYER = "rival", "clayer", "rlayer"
MAP, ANSWER, SHUFFLE, POOLING = "Feature map", "Answer", "Shuffle", "Pooling"
GRIDS = (1, 2, 4, 7, 8, 14)  # equal to the lab's, which needs torch; a test keeps them so
_SHIFT = "Pixels of each network's own input; a small input is shifted by a quarter of its side at most."


@dataclass(frozen=True)
class Choices:
    view: str = lab.words("test", "What to do", (MAP, ANSWER, SHUFFLE, POOLING))
    rival: str = lab.hidden(RIVAL)
    layer: str = lab.hidden(LAYER)
    rival_layer: str = lab.hidden(RIVAL_LAYER)
    right: int = lab.slider("dx", "Shift right, px", -32, 32, 8, kept=True, help=_SHIFT)
    down: int = lab.slider("dy", "Shift down, px", -32, 32, 0, kept=True, help=_SHIFT)
    patches: int = lab.steps("patches", "Patches along a side", GRIDS, 4)
    deal: int = lab.slider("deal", "Deal", 0, 9, 0, help="Another shuffle.")


# What shrinks by max pooling, beside networks that shrink by strides; and a trained transformer where one is.
POOLING_NETWORK = "zoo:vgg_small"
_TRANSFORMERS = ("vit", "deit", "swin")
UNTRAINED = ("timm:vit_tiny_patch16_224", "timm:mobilenetv2_100", "timm:resnet18")
_TILE = 176  # pixels
BADGE = ":orange-badge[untrained]"


@dataclass(frozen=True)
class Watched:
    """One network with one layer, and what became of it shift by shift.

    layers: paths one can choose from. shrinks: see `explorer.labs.inductive_bias.shifts.shrinks_by`.
    """

    name: str
    weights_id: str
    labels: tuple[str, ...]
    layers: tuple[str, ...]
    layer: str
    sweep: Sweep
    most: int
    shrinks: tuple[str, ...]

    @property
    def trained(self) -> bool:
        return not self.weights_id.startswith("random:")


@dataclass(frozen=True)
class Tiles:
    """Pictures of one shift, ready to be shown, and what was measured on the whole map."""

    pictures: Mapping[str, Image.Image]
    measured: Equivariance
    shift: tuple[int, int]


def rival(slot, weights_id: str) -> str:
    """The network beside the one of `weights_id`: a trained one if there is one."""
    entries = {entry.id: weights.named(entry) for entry in weights.trained_here()}
    first = _first_rival(tuple(entries), weights_id)
    entries |= {f"random:{name}": f"{name.partition(':')[2]} · untrained" for name in UNTRAINED}
    chosen = state.one_of(RIVAL, entries) or first or next(iter(entries))
    fields.select(
        slot,
        "Beside it",
        RIVAL,
        list(entries),
        shown=chosen,
        choose=lambda identifier: st.session_state.update({RIVAL: identifier, RIVAL_LAYER: ""}),
        format_func=entries.__getitem__,
        help="Untrained networks answer nonsense, but whether a map moves with the picture is settled by the "
        "architecture, so it can be measured on them too.",
    )
    return chosen


def _first_rival(trained: Sequence[str], weights_id: str) -> str:
    """A transformer, whose map does not move with the picture; else a network that pools; else any other."""
    others = [each for each in trained if each != weights_id]
    transformers = [each for each in others if each.partition(":")[2].startswith(_TRANSFORMERS)]
    pooling = [each for each in others if each == POOLING_NETWORK]
    return next(iter((*transformers, *pooling, *others)), "")


def shrinking(both: tuple[Watched, Watched]) -> str:
    """How each of the two makes its maps smaller, as a sentence; Markdown."""
    parts = [
        f"**{plain(of.name)}** shrinks its maps by {' and '.join(of.shrinks) or 'nothing'}" for of in both
    ]
    blurred = any("blur" in way for of in both for way in of.shrinks)
    return "; ".join(parts) + (". " if blurred else "; neither blurs before it leaves values out. ")


def watched(picture: Picture, weights_id: str, field: str) -> Watched:
    """The network swept over all shifts at the layer that the link's `field` names, else at a telling one."""
    from explorer.labs.inductive_bias import shifts as bias

    known = _layers(weights_id)
    layer = state.one_of(field, known.paths) or known.start

    def look(network: Network) -> Watched:
        return Watched(
            name=_name(network),
            weights_id=weights_id,
            labels=network.labels,
            layers=known.paths,
            layer=layer,
            sweep=bias.sweep(network, bias.scene(picture.image, network.input), bias.places(network)[layer]),
            most=bias.most_shift(network.input),
            shrinks=bias.shrinks_by(network.model),
        )

    return looked("sweep", picture, weights_id, (layer,), look)


@dataclass(frozen=True)
class _Layers:
    """Whose maps can be watched: paths in the order they finish, and the one that is shown first."""

    paths: tuple[str, ...]
    start: str


def _layers(weights_id: str) -> _Layers:
    from explorer import inference
    from explorer.labs.inductive_bias import shifts as bias

    def look(network: Network) -> _Layers:
        known = bias.places(network)
        start = inference.default_layer(network) if any(place.spoiled for place in known.values()) else ""
        return _Layers(tuple(known), start if start in known else bias.place_to_start(known))

    return once.ask("bias_layers", weights_id, (), look, "Looking for layers whose map can be watched …")


def _name(network: Network) -> str:
    entry = network.weights
    return entry.reference.name if entry.untrained else entry.label.partition(" · ")[0]


def looked(
    place: str, picture: Picture, weights_id: str, key: tuple[Hashable, ...], look: Callable[[Network], T]
) -> T:
    says = "The network looks at the picture again and again, a few seconds for a large one …"
    return once.ask(f"bias_{place}", weights_id, (picture.digest, *key), look, says)


def layer_menu(slot, of: Watched, field: str, label: str) -> None:
    fields.select(
        slot,
        label,
        field,
        of.layers,
        shown=of.layer,
        choose=lambda path: st.session_state.update({field: path}),
        help="Whose map is watched. Early layers have small strides; late ones see far and meet the border.",
    )


def names(both: tuple[Watched, Watched]) -> tuple[str, str]:
    """What to call them in a legend, told apart where they are one network."""
    first, second = (of.name if of.trained else f"{of.name} (untrained)" for of in both)
    return (first, f"{second} (2)") if first == second else (first, second)


def feature_maps(picture: Picture, both: tuple[Watched, Watched], dx: int, dy: int, here: Page) -> None:
    left, right = st.columns(2, gap="medium")
    titled = [f"{name} · {of.layer}" for name, of in zip(names(both), both, strict=True)]
    sweeps = dict(zip(titled, (of.sweep for of in both), strict=True))
    with left:
        show_figure(figures.equivariance(sweeps, dx, dark=here.dark), here, "equivariance", height=395)
    with right:
        for place, of in enumerate(both):
            _tiles(picture, of, dx, dy, titled=place == 0)


def _tiles(picture: Picture, of: Watched, dx: int, dy: int, *, titled: bool) -> None:
    found = _shifted(picture, of, dx, dy)
    for slot, (title, image) in zip(st.columns(4, gap="small"), found.pictures.items(), strict=True):
        slot.image(image, caption=title if titled else None, width="stretch", alt=title)
    st.caption(measured(of, found))


def _shifted(picture: Picture, of: Watched, dx: int, dy: int) -> Tiles:
    from explorer.labs import input_numbers
    from explorer.labs.inductive_bias import shifts as bias

    dx, dy = (max(-of.most, min(of.most, each)) for each in (dx, dy))

    def look(network: Network) -> Tiles:
        import torch

        place = bias.places(network)[of.layer]
        scene = bias.scene(picture.image, network.input)
        x = torch.cat([scene.shifted(0), scene.shifted(dx, dy)])
        maps = bias.answers(network, x, place.layer).maps
        result = bias.equivariance(maps[0], maps[1], (dy, dx), place)
        channel = int(maps[0].abs().mean(dim=(1, 2)).argmax())
        moved = bias.moved(bias.moved(maps[0], result.cells[0], 1), result.cells[1], 2)[channel]
        for axis in (0, 1):  # what a move brings in from the other side is no prediction
            kept = bias.overlap(moved.shape[axis], result.cells[axis])
            outside = [each for each in range(moved.shape[axis]) if each not in kept]
            moved = moved.index_fill(axis, torch.tensor(outside, dtype=torch.long), float("nan"))
        view = input_numbers.understood(scene.shifted(dx, dy), network.input)
        return Tiles(
            _pictures(view, maps[0, channel].numpy(), moved.numpy(), maps[1, channel].numpy(), result),
            result,
            (dx, dy),
        )

    return looked("tiles", picture, of.weights_id, (of.layer, dx, dy), look)


def _pictures(
    view: np.ndarray, still: np.ndarray, moved: np.ndarray, found: np.ndarray, result: Equivariance
) -> dict[str, Image.Image]:
    """Four tiles on one scale; the frame holds the cells that are compared, grey: nothing known."""
    import numpy as np
    from PIL import Image, ImageDraw

    from explorer.inference.overlay import colored

    low, high = float(min(still.min(), found.min())), float(np.percentile([still, found], 99.8))
    span = max(high - low, 1e-9)

    def tile(values: np.ndarray, *, framed: bool) -> Image.Image:
        known = np.isfinite(values)
        colours = colored(np.clip(np.where(known, values, 0), 0, 1), "Viridis")
        shown = Image.fromarray(np.where(known[:, :, None], colours, np.uint8(128)))
        shown = shown.resize((_TILE, _TILE), Image.Resampling.NEAREST)
        if framed:
            scale = _TILE / values.shape[0], _TILE / values.shape[1]
            top, left, bottom, right = result.region
            box = (left * scale[1], top * scale[0], right * scale[1] - 1, bottom * scale[0] - 1)
            ImageDraw.Draw(shown).rectangle(box, outline="white", width=2)
        return shown

    return {
        "Picture shifted": Image.fromarray(view).resize((_TILE, _TILE), Image.Resampling.NEAREST),
        "Its map": tile((found - low) / span, framed=True),
        "Still map, moved": tile((moved - low) / span, framed=True),
        "Difference": tile(np.abs(found - moved) / span, framed=True),
    }


def measured(of: Watched, tiles: Tiles) -> str:
    """What was measured at this shift, and what theory expects; Markdown."""
    found, (dx, dy) = tiles.measured, tiles.shift
    right, down = (f"{each:.3g}" for each in reversed(found.cells))
    badge = "" if of.trained else f" {BADGE}"
    return (
        f"**{plain(of.name)}**{badge} `{of.layer}`, stride {found.stride[1]:g}: ({dx}, {dy}) "
        f"pixels = ({right}, {down}) cells. Error **{percent(found.error)}** "
        f"(left in place: {percent(found.unmoved)}), "
        f"{_correlation(found)}. {_why(found)}"
    )


def _correlation(found: Equivariance) -> str:
    if isnan(found.correlation):
        return "no correlation, for a map is the same everywhere"
    return f"correlation {found.correlation:.3f}"


def percent(value: float) -> str:
    """Of a length; infinite where that length is zero."""
    if isinf(value):
        return "infinite, for what it is compared with is zero"
    return "0.0 %" if value < 5e-4 else share(value, 1) if value <= 1 else f"{100 * value:.0f} %"


def _why(found: Equivariance) -> str:
    if found.spoiled:
        return f"Never exact: `{found.spoiled}` makes the place count."
    if not found.clean:
        return "Never exact here: every unit sees the border."
    return "Exact: whole strides." if found.exact else "Between two cells, so not exact."
