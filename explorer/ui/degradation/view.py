"""The Degradation page: curves of the trained twins, the gaps between depths, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer import catalogue
from explorer.labs import degradation as lab_core
from explorer.labs.degradation import Gap, Measure, Trained
from explorer.networks.zoo import ModelCard
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, lab, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import plain
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import facets, row


@dataclass(frozen=True)
class Choices:
    what: str = lab.words("dshow", "Show", ("Error", "Loss", "Gradient norm"), named=False)


_HEIGHT = 400
_MEASURES: tuple[Measure, Measure] = ("train", "test")
_PICTURES = {"train": "training pictures", "test": "test pictures"}
_PAPER = "He et al. 2015"
_PUBLISHED = ("plain34", "resnet18", "resnet34", "resnet20_cifar", "resnet56_cifar")


@st.cache_resource(max_entries=12, show_spinner=False)
def _curves(cards: str, what: str, dark: bool, _trained: Trained) -> go.Figure:
    """`curves`, drawn once for everybody; cards: what tells them apart, in words."""
    return curves(_trained, what, dark=dark)


def curves(trained: Trained, what: str, *, dark: bool) -> go.Figure:
    """Training on the left, test on the right, one line a network; the norm of the gradient has one panel."""
    titles = {
        "Error": ("Training error", "Test error"),
        "Loss": ("Training loss", "Test loss"),
        "Gradient norm": ("Gradient norm in training",),
    }[what]
    panels = facets(1, len(titles), gap=0.09)
    traces = [
        {
            "type": "scatter",
            "x": list(range(1, card.epochs + 1)),
            "y": list(values),
            "name": twin.title,
            "legendgroup": twin.title,
            "showlegend": panel.number == 1,
            "mode": "lines+markers",
            "line": {
                "color": theme.FAMILIES["residual" if twin.residual else "plain"].on(dark=dark),
                "width": 4 if twin.depth == 56 else 2.5,
                "dash": "solid" if twin.depth == 56 else "dot",
            },
            "hovertemplate": f"<b>{twin.title}</b>, epoch %{{x}}: %{{y:.4g}}<extra></extra>",
            **panel.axes,
        }
        for twin, card in trained.cards.items()
        for panel, values in zip(panels, _series(card, what), strict=True)
    ]
    title = {"Error": "error (%)", "Loss": "cross-entropy", "Gradient norm": "‖gradient‖"}[what]
    down = {"title": title, "matches": "y"}  # training and test are to be compared
    frames = [(panel, {"title": "epoch", "dtick": 1}, down) for panel in panels]
    return row(traces, frames, titles)


def _series(card: ModelCard, what: str) -> list[tuple[float, ...]]:
    if what == "Error":
        return [lab_core.errors(card, measure) for measure in _MEASURES]
    if what == "Loss":
        return [card.curves["train_loss"], card.curves["test_loss"]]
    return [card.curves["gradient_norm"]]


def show(trained: Trained, what: str, here: Page) -> None:
    if trained.cards:
        figure = _curves(repr(trained.cards), what, here.dark, trained)
        show_figure(figure, here, "degradation_figure", _HEIGHT)
    else:
        st.header("None of the four twins has been trained yet")
    _missing(trained)
    if not trained.one_protocol:
        st.warning("These networks were not trained by one recipe on one copy of the data: do not compare.")
    for residual, family in ((False, "Plain"), (True, "Residual")):
        pair = trained.pair(residual=residual)
        if pair:
            gaps = [lab_core.gap(*pair, measure) for measure in _MEASURES]
            st.markdown(sentence(family, *gaps))
    if trained.cards:
        st.dataframe(
            rows(trained),
            hide_index=True,
            key="degradation_table",
            placeholder="",
            column_config={
                **dict.fromkeys(
                    ("training error (%)", "test error (%)"), st.column_config.NumberColumn(format="%.2f")
                ),
                "parameters": st.column_config.NumberColumn(format="localized"),
            },
        )
        st.caption(_protocol(next(iter(trained.cards.values()))))


def _missing(trained: Trained) -> None:
    """Which twins have no card, and the commands that make one."""
    if not trained.missing:
        return
    untrained = [twin.title for twin, damage in trained.missing.items() if damage is None]
    if untrained:
        st.markdown(f":material/hourglass_empty: Not trained yet: **{', '.join(untrained)}**.")
    for twin, damage in trained.missing.items():
        if damage:
            st.warning(f"The card of {twin.title} cannot be used: {plain(damage)}")
    st.code("\n".join(twin.command for twin in trained.missing), language="bash")


def rows(trained: Trained) -> list[dict[str, object]]:
    """Final errors of the shipped weights, and the gaps between depths under them."""
    table: list[dict[str, object]] = [
        {
            "network": twin.title,
            "training error (%)": lab_core.final_error(card, "train"),
            "test error (%)": lab_core.final_error(card, "test"),
            "parameters": card.params,
            "epochs": card.epochs,
        }
        for twin, card in trained.cards.items()
    ]
    for residual, family in ((False, "Plain"), (True, "ResNet")):
        pair = trained.pair(residual=residual)
        if pair:
            train, test = (lab_core.gap(*pair, measure) for measure in _MEASURES)
            table.append(
                {
                    "network": f"{family}-56 − {family}-20",
                    "training error (%)": train.points,
                    "test error (%)": test.points,
                    "parameters": None,
                    "epochs": None,
                }
            )
    return table


def sentence(family: str, train: Gap, test: Gap) -> str:
    """The verdict on one pair of depths, in words that follow from its two gaps."""
    meaning = {
        "degradation": "**That is degradation**: more layers fit even the training pictures worse, "
        "so it is no overfitting.",
        "overfitting": "**That is overfitting**, not degradation: the deeper one fits its training pictures "
        "better and new ones worse.",
        "depth helps": "**Depth helps here**: no degradation.",
        "no difference": "**No difference** that these pictures can show.",
        "test only": "**Worse on new pictures only**: no degradation of training.",
    }[lab_core.outcome(train, test)]
    return (
        f"**{family} networks:** with 56 layers instead of 20 the training error {_change(train)}, the test "
        f"error {_change(test)}. {meaning}"
    )


def _change(gap: Gap) -> str:
    if gap.verdict == "alike":
        return f"is alike ({gap.points:+.2f} points, within ±{2 * gap.standard_error:.2f})"
    return f"{'rises' if gap.points > 0 else 'falls'} by {abs(gap.points):.2f} points"


def _protocol(card: ModelCard) -> str:
    recipe = card.recipe
    return plain(
        f"Measured here: one run each, {card.epochs} epochs of {card.dataset}, "
        f"{recipe['optimizer'].upper()}, peak learning rate {recipe['peak_learning_rate']}, weight decay "
        f"{recipe['weight_decay']}, batch {recipe['batch_size']}, seed {card.seed}, in "
        f"{recipe['precision']}. Curves: training figures are "
        "running means over augmented pictures; the table: final weights on unaltered pictures. "
        f"{card.dataset_note}"
    )


def published() -> list[dict[str, str]]:
    """What He et al. 2015 print for depth with and without shortcuts, from the catalogue's facts."""
    found = []
    for name in _PUBLISHED:
        entry = catalogue.get(name)
        for key in ("top1", "cifar10_error"):
            for fact in entry.facts.get(key, ()):
                if fact.source.startswith(_PAPER):
                    error = fact.value if key == "cifar10_error" else 100 - fact.value
                    found.append(
                        {
                            "network": entry.name,
                            "data": "CIFAR-10" if key == "cifar10_error" else "ImageNet",
                            "error (%)": f"{error:.2f}",
                            "protocol": fact.protocol,
                            "source": fact.source,
                            "note": fact.note,
                        }
                    )
    return found


def beside() -> None:
    """The published results, and what the reader should look for."""
    explain.look_for(
        "Compare the solid lines of 56 layers with the dotted ones of 20, first on the training pictures: "
        "a deeper network that ends above its shallow twin there has not overfitted, it has failed to train. "
        "Then see whether the skips, which own no weights, turn the order around."
    )
    explain.code(lab_core.final_error, lab_core.gap, lab_core.outcome)
    explain.folded("What was published, and how it differs", _published, key="degradation_published")


def _published() -> None:
    st.dataframe(published(), hide_index=True, key="published_table")
    st.markdown(
        "[He et al. 2015](https://arxiv.org/abs/1512.03385) print plain networks on CIFAR-10 as curves "
        "only (figure 6, left), trained for some 164 epochs with two steps of the learning rate; the "
        "runs here are far shorter, so their gaps are those of a short training. A single seed "
        "does not tell how far another would differ; ± is twice the standard error from the number of "
        "pictures alone."
    )
