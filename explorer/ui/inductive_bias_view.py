"""What the page on inductive bias shows; networks are asked here, under a lease, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.ui import inductive_bias_figures as figures
from explorer.ui import inference_choices as choices
from explorer.ui import lab, state, visit
from explorer.ui.formatting import plain, share
from explorer.ui.page import Page

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from explorer.labs.inductive_bias import Equivariance, Sweep
    from explorer.networks import Network
    from explorer.ui.inference_picture import Picture

T = TypeVar("T")

VIEW, RIVAL, LAYER, RIVAL_LAYER = "test", "rival", "clayer", "rlayer"
DX, DY, PATCHES, DEAL = "dx", "dy", "patches", "deal"
MAP, ANSWER, SHUFFLE, POOLING = "Feature map", "Answer", "Shuffle", "Pooling"
VIEWS = (MAP, ANSWER, SHUFFLE, POOLING)
UNTRAINED = ("timm:vit_tiny_patch16_224", "timm:mobilenetv2_100", "timm:resnet18")
_TILE = 176  # pixels
_UNTRAINED = ":orange-badge[untrained]"


@dataclass(frozen=True)
class Watched:
    """One network with one layer, and what became of it shift by shift.

    layers: paths one can choose from. spoiled: see `explorer.labs.inductive_bias.Place`.
    """

    name: str
    weights_id: str
    labels: tuple[str, ...]
    layers: tuple[str, ...]
    layer: str
    sweep: Sweep
    most: int

    @property
    def trained(self) -> bool:
        return not self.weights_id.startswith("random:")


@dataclass(frozen=True)
class Tiles:
    """Pictures of one shift, ready to be shown, and what was measured on the whole map."""

    pictures: Mapping[str, Image.Image]
    measured: Equivariance
    shift: tuple[int, int]


def reference(here: Page):
    """What the visitor chose, else MobileNet V2, which is small and convolutional."""
    from explorer import networks

    return here.reference() if state.chosen() else networks.resolve("timm:mobilenetv2_100")


def rival(slot) -> str:
    """The network beside it: an untrained ViT as long as no trained one is here."""
    entries = {f"random:{name}": f"{name.partition(':')[2]} · untrained" for name in UNTRAINED}
    entries |= {entry.id: lab.named(entry) for entry in lab.trained_here()}
    asked = choices.get(RIVAL)
    chosen = asked if asked in entries else next(iter(entries))
    choices.select(
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


def watched(picture: Picture, weights_id: str, field: str) -> Watched:
    """The network swept over all shifts at the layer that the link's `field` names, else at a telling one."""
    from explorer import inference
    from explorer.labs import inductive_bias as bias

    asked = choices.get(field)

    def look(network: Network) -> Watched:
        known = bias.places(network)
        spoiled = any(place.spoiled for place in known.values())
        start = inference.default_layer(network) if spoiled else bias.place_to_start(known)
        layer = asked if asked in known else start if start in known else bias.place_to_start(known)
        return Watched(
            name=_name(network),
            weights_id=weights_id,
            labels=network.labels,
            layers=tuple(known),
            layer=layer,
            sweep=bias.sweep(network, bias.scene(picture.image, network.input), known[layer]),
            most=bias.most_shift(network.input),
        )

    return _asked("sweep", picture, weights_id, (asked,), look)


def _name(network: Network) -> str:
    entry = network.weights
    return entry.reference.name if entry.untrained else entry.label.partition(" · ")[0]


def _asked(
    place: str, picture: Picture, weights_id: str, key: tuple[Hashable, ...], look: Callable[[Network], T]
) -> T:
    says = "The network looks at the picture again and again …"
    return visit.ask(f"bias_{place}", weights_id, (picture.digest, *key), look, says)


def shift(horizontal, vertical) -> tuple[int, int]:
    """(dx, dy) in pixels."""
    text = "Pixels of each network's own input; a small input is shifted by a quarter of its side at most."
    dx = horizontal.slider("Shift right, px", -32, 32, 8, key=DX, bind="query-params", help=text)
    dy = vertical.slider("Shift down, px", -32, 32, 0, key=DY, bind="query-params", help=text)
    return dx, dy


def deal(row: Sequence) -> tuple[int, int]:
    """(patches along a side, number of the deal)."""
    from explorer.labs.patch_shuffle import GRIDS

    grid = row[0].select_slider("Patches along a side", GRIDS, 4, key=PATCHES, bind="query-params")
    number = row[1].slider("Deal", 0, 9, 0, key=DEAL, bind="query-params", help="Another shuffle.")
    return grid, number


def layer_menu(slot, of: Watched, field: str, label: str) -> None:
    choices.select(
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
        lab.figure(figures.equivariance(sweeps, dx, dark=here.dark), here, "equivariance", height=395)
    with right:
        for place, of in enumerate(both):
            _tiles(picture, of, dx, dy, titled=place == 0)


def _tiles(picture: Picture, of: Watched, dx: int, dy: int, *, titled: bool) -> None:
    found = _shifted(picture, of, dx, dy)
    for slot, (title, image) in zip(st.columns(4, gap="small"), found.pictures.items(), strict=True):
        slot.image(image, caption=title if titled else None, width="stretch", alt=title)
    st.caption(measured(of, found))


def _shifted(picture: Picture, of: Watched, dx: int, dy: int) -> Tiles:
    from explorer.labs import inductive_bias as bias
    from explorer.labs import input_numbers

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

    return _asked("tiles", picture, of.weights_id, (of.layer, dx, dy), look)


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
    badge = "" if of.trained else f" {_UNTRAINED}"
    return (
        f"**{plain(of.name)}**{badge} `{of.layer}`, stride {found.stride[1]:g}: ({dx}, {dy}) "
        f"pixels = ({right}, {down}) cells. Error **{_percent(found.error)}** "
        f"(left in place: {_percent(found.unmoved)}), "
        f"correlation {found.correlation:.3f}. {_why(found)}"
    )


def _percent(value: float) -> str:
    return "0.0 %" if value < 5e-4 else share(value, 1) if value <= 1 else f"{100 * value:.0f} %"


def _why(found: Equivariance) -> str:
    if found.spoiled:
        return f"Never exact: `{found.spoiled}` makes the place count."
    if not found.clean:
        return "Never exact here: every unit sees the border."
    return "Exact: whole strides." if found.exact else "Between two cells, so not exact."


def answers(both: tuple[Watched, Watched], here: Page) -> None:
    left, right = st.columns([8, 4], gap="medium")
    sweeps = dict(zip(names(both), (of.sweep for of in both), strict=True))
    with left:
        made = figures.invariance(
            sweeps, [of.labels for of in both], [of.trained for of in both], dark=here.dark
        )
        lab.figure(made, here, "invariance", height=430)
    for of in both:
        right.markdown(said(of))


def said(of: Watched) -> str:
    """The answer under all shifts in numbers; Markdown."""
    from explorer.labs.inductive_bias import consistency

    top, swept = of.sweep.top, of.sweep
    moved = f"All scores together moved by up to **{_percent(max(swept.change))}**."
    if not of.trained:
        return (
            f"{_UNTRAINED} **{plain(of.name)}**: random numbers, so its answer means nothing, and the curve "
            f"only shows that every class is about as likely. {moved}"
        )
    kept = [float(row[top[0]]) for row in swept.probabilities]
    label = of.labels[top[0]] if top[0] < len(of.labels) else f"output {top[0]}"
    changes = sum(index != top[0] for index in top)
    return (
        f"**{plain(of.name)}** says **{plain(label)}** with {share(kept[0], 1)} where the picture stands "
        f"still. Over shifts of 0 to {swept.shifts[-1]} pixels: {share(min(kept), 1)} to "
        f"{share(max(kept), 1)}, "
        f"another class at {changes} of {len(top)} shifts, consistency **{share(consistency(top), 1)}** "
        f"(pairs of shifts that agree, Zhang 2019). {moved}"
    )


@dataclass(frozen=True)
class Shuffled:
    """One network on the shuffled picture, grid by grid. blind: change without positions, if any."""

    views: tuple[np.ndarray, ...]
    probabilities: tuple[tuple[float, ...], ...]
    change: tuple[float, ...]
    blind: tuple[float, ...] | None


def shuffled(picture: Picture, of: Watched, deal: int) -> Shuffled:
    """The picture cut into every grid of patches; the same deal of patches for every network."""
    from explorer.labs import inductive_bias as bias
    from explorer.labs import input_numbers, patch_shuffle

    def look(network: Network) -> Shuffled:
        import torch

        x = bias.scene(picture.image, network.input).shifted(0)
        mixed = [patch_shuffle.shuffled(x, each, deal) for each in patch_shuffle.GRIDS]
        logits = patch_shuffle.logits_of(network, torch.cat(mixed))
        blind = patch_shuffle.logits_of(network, torch.cat(mixed), positions=False)
        assert logits is not None
        return Shuffled(
            views=tuple(input_numbers.understood(each, network.input) for each in mixed),
            probabilities=tuple(tuple(each.softmax(dim=0).tolist()) for each in logits),
            change=tuple(bias.relative_error(each, logits[0]) for each in logits),
            blind=tuple(bias.relative_error(each, blind[0]) for each in blind) if blind is not None else None,
        )

    return _asked("shuffle", picture, of.weights_id, (deal,), look)


def shuffle(picture: Picture, both: tuple[Watched, Watched], grid: int, deal: int, here: Page) -> None:
    from PIL import Image

    from explorer.labs.patch_shuffle import GRIDS

    found = [shuffled(picture, of, deal) for of in both]
    changes: dict[str, tuple[int, tuple[float, ...]]] = {}
    for place, (name, each) in enumerate(zip(names(both), found, strict=True)):
        changes[name] = (place, each.change)
        if each.blind:
            changes[f"{name} without positions"] = (place, each.blind)
    seen, said_now, curve = st.columns([3, 4, 5], gap="medium")
    view = Image.fromarray(found[0].views[GRIDS.index(grid)])
    seen.image(view.resize((336, 336), Image.Resampling.NEAREST), width="stretch")
    seen.caption(f"{grid} × {grid} patches" if grid > 1 else "Nothing shuffled")
    with said_now:
        for place, (of, each) in enumerate(zip(both, found, strict=True)):
            _shuffled_answer(of, each, GRIDS.index(grid), place, here)
    with curve:
        lab.figure(figures.shuffles(GRIDS, changes, grid, dark=here.dark), here, "shuffles", height=400)


def _shuffled_answer(of: Watched, found: Shuffled, at: int, place: int, here: Page) -> None:
    whole = found.probabilities[0]
    kept = whole.index(max(whole))
    if not of.trained:
        st.markdown(
            f"{_UNTRAINED} **{plain(of.name)}**: its answer means nothing. Its scores moved by "
            f"**{_percent(found.change[at])}**"
            + (
                f", without its position embedding by **{_percent(found.blind[at])}**."
                if found.blind
                else "."
            )
        )
        return
    st.markdown(f"**{plain(of.name)}**: scores moved by **{_percent(found.change[at])}**")
    made = figures.answer(found.probabilities[at], of.labels, kept, place, dark=here.dark)
    lab.figure(made, here, f"shuffled_{place}", height=210)


def pooling(here: Page) -> None:
    """Zhang's example in one dimension: what a stride does to a shift, and a blur before it."""
    import numpy as np

    from explorer.labs.inductive_bias import max_pool_1d

    signal = [0, 0, 1, 1, 0, 0, 1, 1]
    both = (signal, np.roll(signal, 1).tolist())
    rows = {
        "Signal": both,
        "Max pool, stride 2": [max_pool_1d(each, blur=False).tolist() for each in both],
        "Max, blur, stride 2": [max_pool_1d(each, blur=True).tolist() for each in both],
    }
    lab.figure(figures.pooling(rows, dark=here.dark), here, "pooling", height=400)
    st.markdown(
        "A signal of period four is pooled over two neighbours, then every second value is kept. Shifted by "
        "one, the pooled signal is not shifted: it is **another signal**, and its mean goes from "
        f"{np.mean(rows['Max pool, stride 2'][0]):g} to {np.mean(rows['Max pool, stride 2'][1]):g}. A blur "
        "of [1, 2, 1] / 4 before the stride keeps the mean at "
        f"{np.mean(rows['Max, blur, stride 2'][0]):g}; what flickers becomes smaller, and does not vanish."
    )


LOOK_FOR = {
    MAP: "Each ring is a shift by whole strides, where a convolution's map moves exactly with the picture: "
    "how deep is the dip between two rings? Choose `patch_embed` for the ViT, then a later block: its grid "
    "of patches is exact, and the position embedding ends that.",
    ANSWER: "A thing remains what it is wherever it stands, so the upper curve ought to be flat. Where "
    "does it wobble, and does the answer change?",
    SHUFFLE: "Shuffled patches keep the texture and lose the shape: up to which grid does the answer stay? "
    "Without positions a ViT cannot tell a shuffle of its own patches (2, 7 and 14 a side at 224 pixels).",
    POOLING: "The middle signal is not the shifted one, it is another one: this is where the answer begins "
    "to wobble. With a blur before the stride the two come closer.",
}


def formula(shown: str) -> None:
    """The functions behind what is shown."""
    from explorer.labs import inductive_bias as bias
    from explorer.labs import patch_shuffle

    behind = {
        MAP: (bias.moved, bias.relative_error, bias.correlation),
        ANSWER: (bias.consistency, bias.relative_error),
        SHUFFLE: (patch_shuffle.logits_of,),
        POOLING: (bias.max_pool_1d,),
    }
    lab.code(*behind[shown])


def sources() -> None:
    with st.expander("What is measured, and sources", icon=":material/menu_book:"):
        st.markdown(
            "**Equivariance**, f(T x) = T f(x): relative error ‖moved map − map of the moved picture‖ / ‖map "
            "of the moved picture‖ over all channels, in the cells whose receptive fields stay inside the "
            "picture before and after the shift (white frame); where a layer has none, over all cells. The "
            "map moves by shift / stride cells, linearly between cells. The stride is that of the layer's "
            "receptive field, counted in the network's graph.\n\n"
            "**Invariance**, f(T x) = f(x): the probability of the class that is likeliest without a shift. "
            "The margin comes from the picture beyond the crop, then from its mirror image.\n\n"
            "**Scores moved**: ‖scores − scores at rest‖ / ‖scores at rest‖. For an untrained network this "
            "is the only one of the two that says anything.\n\n"
            "Zhang 2019, [Making Convolutional Networks Shift-Invariant "
            "Again](https://arxiv.org/abs/1904.11486) · Azulay and Weiss 2019, [Why do deep convolutional "
            "networks generalize so poorly to small image "
            "transformations?](https://arxiv.org/abs/1805.12177) · Naseer et al. 2021, [Intriguing "
            "Properties of Vision Transformers](https://arxiv.org/abs/2105.10497) (shuffled patches) · "
            "Geirhos et al. 2019, [ImageNet-trained CNNs are biased towards texture](https://arxiv.org/abs/1811.12231)"
        )
