"""What the networks of the page on inductive bias say of a shifted picture and of a shuffled one; pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.frame.page import Page
from explorer.ui.inductive_bias import figures
from explorer.ui.inductive_bias.view import BADGE, Watched, looked, names, percent
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import plain, share

if TYPE_CHECKING:
    import numpy as np

    from explorer.networks import Network
    from explorer.ui.picture.current import Picture


def answers(both: tuple[Watched, Watched], here: Page) -> None:
    left, right = st.columns([8, 4], gap="medium")
    sweeps = dict(zip(names(both), (of.sweep for of in both), strict=True))
    with left:
        made = figures.invariance(
            sweeps, [of.labels for of in both], [of.trained for of in both], dark=here.dark
        )
        show_figure(made, here, "invariance", height=430)
    for of in both:
        right.markdown(said(of))


def said(of: Watched) -> str:
    """The answer under all shifts in numbers; Markdown."""
    from explorer.labs.inductive_bias.shifts import consistency
    from explorer.networks.labels import output_name

    top, swept = of.sweep.top, of.sweep
    moved = f"All scores together moved by up to **{percent(max(swept.change))}**."
    if not of.trained:
        return (
            f"{BADGE} **{plain(of.name)}**: random numbers, so its answer means nothing, and the curve "
            f"only shows that every class is about as likely. {moved}"
        )
    kept = [float(row[top[0]]) for row in swept.probabilities]
    label = output_name(of.labels, top[0])
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
    from explorer.labs import input_numbers
    from explorer.labs.inductive_bias import patch_shuffle
    from explorer.labs.inductive_bias import shifts as bias

    def look(network: Network) -> Shuffled:
        import torch

        from explorer.networks import running

        x = bias.scene(picture.image, network.input).shifted(0)
        mixed = [patch_shuffle.shuffled(x, each, deal) for each in patch_shuffle.GRIDS]
        logits = patch_shuffle.logits_of(network, torch.cat(mixed))
        blind = patch_shuffle.logits_of(network, torch.cat(mixed), positions=False)
        assert logits is not None
        return Shuffled(
            views=tuple(input_numbers.understood(each, network.input) for each in mixed),
            probabilities=tuple(map(tuple, running.probabilities(network, logits).tolist())),
            change=tuple(bias.relative_error(each, logits[0]) for each in logits),
            blind=tuple(bias.relative_error(each, blind[0]) for each in blind) if blind is not None else None,
        )

    return looked("shuffle", picture, of.weights_id, (deal,), look)


def shuffle(picture: Picture, both: tuple[Watched, Watched], grid: int, deal: int, here: Page) -> None:
    from PIL import Image

    from explorer.labs.inductive_bias.patch_shuffle import GRIDS

    found = [shuffled(picture, of, deal) for of in both]
    changes: dict[str, tuple[int, tuple[float, ...]]] = {}
    for place, (name, each) in enumerate(zip(names(both), found, strict=True)):
        changes[name] = (place, each.change)
        if each.blind:
            changes[f"{name} without positions"] = (place, each.blind)
    seen, said_now, curve = st.columns([3, 4, 5], gap="medium")
    view = Image.fromarray(found[0].views[GRIDS.index(grid)])
    cut = f"{grid} × {grid} patches" if grid > 1 else "Nothing shuffled"
    seen.image(
        view.resize((336, 336), Image.Resampling.NEAREST),
        width="stretch",
        caption=cut,
        alt=f"The picture as the network takes it: {cut}",
    )
    with said_now:
        for place, (of, each) in enumerate(zip(both, found, strict=True)):
            _shuffled_answer(of, each, GRIDS.index(grid), place, here)
    with curve:
        show_figure(figures.shuffles(GRIDS, changes, grid, dark=here.dark), here, "shuffles", height=400)


def _shuffled_answer(of: Watched, found: Shuffled, at: int, place: int, here: Page) -> None:
    whole = found.probabilities[0]
    kept = whole.index(max(whole))
    if not of.trained:
        st.markdown(
            f"{BADGE} **{plain(of.name)}**: its answer means nothing. Its scores moved by "
            f"**{percent(found.change[at])}**"
            + (f", without its position embedding by **{percent(found.blind[at])}**." if found.blind else ".")
        )
        return
    st.markdown(f"**{plain(of.name)}**: scores moved by **{percent(found.change[at])}**")
    made = figures.answer(found.probabilities[at], of.labels, kept, place, dark=here.dark)
    show_figure(made, here, f"shuffled_{place}", height=210)


def pooling(here: Page) -> None:
    """Zhang's example in one dimension: what a stride does to a shift, and a blur before it."""
    import numpy as np

    from explorer.labs.inductive_bias.shifts import max_pool_1d

    signal = [0, 0, 1, 1, 0, 0, 1, 1]
    both = (signal, np.roll(signal, 1).tolist())
    rows = {
        "Signal": both,
        "Max pool, stride 2": [max_pool_1d(each, blur=False).tolist() for each in both],
        "Max, blur, stride 2": [max_pool_1d(each, blur=True).tolist() for each in both],
    }
    show_figure(figures.pooling(rows, dark=here.dark), here, "pooling", height=400)
    st.markdown(
        "A signal of period four is pooled over two neighbours, then every second value is kept. Shifted by "
        "one, the pooled signal is not shifted: it is **another signal**, and its mean goes from "
        f"{np.mean(rows['Max pool, stride 2'][0]):g} to {np.mean(rows['Max pool, stride 2'][1]):g}. A blur "
        "of [1, 2, 1] / 4 before the stride keeps the mean at "
        f"{np.mean(rows['Max, blur, stride 2'][0]):g}; what flickers becomes smaller, and does not vanish."
    )
