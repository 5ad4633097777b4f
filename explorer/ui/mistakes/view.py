"""What the page on common mistakes shows; networks are asked here, under a lease, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, fields, lab, once
from explorer.ui.kit.figure import show_figure
from explorer.ui.kit.formatting import exact, plain, share, three_digits
from explorer.ui.picture.parts import is_tiny

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from explorer.labs.mistakes.comparing import Comparison, Mistake
    from explorer.labs.mistakes.cost_of_networks import Cost
    from explorer.labs.mistakes.runs import Run
    from explorer.ui.picture.current import Picture

MISTAKE = "mistake"
ONE, ALL, COSTS = "One mistake", "All of them", "Time"


@dataclass(frozen=True)
class Choices:
    view: str = lab.words("see", "View", (ONE, ALL, COSTS))
    mistake: str = lab.hidden(MISTAKE)


def chosen() -> Mistake:
    """The mistake the link names, else the first."""
    from explorer.labs.mistakes.comparing import MISTAKES

    return MISTAKES[state.one_of(MISTAKE, MISTAKES) or next(iter(MISTAKES))]


def menu(slot, mistake: Mistake) -> None:
    from explorer.labs.mistakes.comparing import MISTAKES

    fields.select(
        slot,
        "Mistake",
        MISTAKE,
        list(MISTAKES),
        shown=mistake.id,
        choose=lambda identifier: st.session_state.update({MISTAKE: identifier}),
        format_func=lambda identifier: MISTAKES[identifier].title,
    )


def one(picture: Picture, weights_id: str, mistake: Mistake, here: Page) -> None:
    """Right and wrong side by side, then the numbers and the code."""
    from explorer.ui.mistakes.figures import answers

    found = _compared(picture, weights_id, mistake)
    done_right, done_wrong = answers(found, dark=here.dark)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**:material/check_circle: Done right**")
        _run(found.right, done_right, here, "right", "done right")
    with right:
        st.markdown(f"**:material/cancel: {mistake.title}**")
        if found.wrong.failure:
            _stopped(found.wrong)
        else:
            _run(found.wrong, done_wrong, here, "wrong", f"with the mistake {mistake.title}")
    st.markdown(_outcome(found))
    left, right = st.columns(2, gap="medium")
    left.markdown(f"**Right.** {mistake.how}")
    left.code(mistake.right, language="python")
    right.markdown(f"**Wrong.** {mistake.what}")
    right.code(mistake.wrong, language="python")
    _numbers(found)


def _compared(picture: Picture, weights_id: str, mistake: Mistake) -> Comparison:
    from explorer.labs.mistakes import comparing

    return once.ask(
        "mistake",
        weights_id,
        (picture.digest, mistake.id),
        lambda network: comparing.compare(mistake, network, picture.image),
        "The network looks at the picture and its crops, right and wrong: about two seconds …",
    )


def _run(run: Run, made: Figure, here: Page, key: str, how: str) -> None:
    seen, bars = st.columns([2, 5], gap="small")
    seen.image(
        _enlarged(run),
        width="stretch",
        caption="As the network takes it",
        alt=f"The picture as the network takes it, {how}",
    )
    with bars:
        show_figure(made, here, f"answer_{key}", height=225, alt=f"Values of the largest classes, {how}")


def _enlarged(run: Run):
    """A small input with its pixels to be seen."""
    from PIL import Image

    view = Image.fromarray(run.view)
    return view.resize((224, 224), Image.Resampling.NEAREST) if is_tiny(run.view) else view


def _stopped(run: Run) -> None:
    st.error(f"It stops here, which is the better kind of mistake: `{run.failure}`", icon=":material/error:")
    st.image(
        _enlarged(run),
        width=140,
        caption="What was handed in",
        alt="The picture as it was handed in, of another size than the network takes",
    )


def _outcome(found: Comparison) -> str:
    """One line: how far the answer moves and what is said then; Markdown."""
    wrong = found.wrong
    note = f" {plain(wrong.note)}" if wrong.note else ""
    if wrong.failure:
        return f"No answer at all.{note}"
    said = plain(wrong.label(wrong.top))
    if found.total_variation is None:
        total = three_digits(float(wrong.values.sum()))
        return (
            f"Still **{said}**, but its value is **{three_digits(float(wrong.values.max()))}**, "
            f"and all values add up to {total} in place of 1.{note}"
        )
    name = plain(found.right.label(found.index))
    becomes = f"**{name}** stays the answer" if found.same_answer else f"**{name}** becomes **{said}**"
    _, *corners = found.moved
    return (
        f"The whole answer moves by **{share(found.moved[0], 1)}** and {becomes}; on the picture's corners "
        f"it moves by {share(min(corners), 1)} to {share(max(corners), 1)}.{note}"
    )


def _numbers(found: Comparison) -> None:
    """The difference in numbers, as a table."""
    right, wrong = found.right, found.wrong
    rows = [
        ("mean of the input", three_digits(right.mean), three_digits(wrong.mean)),
        ("standard deviation of the input", three_digits(right.std), three_digits(wrong.std)),
        ("input", _size(right), _size(wrong)),
    ]
    if not wrong.failure:
        index = found.index
        name = right.label(index)
        rows += [
            (f"output {index} ({name})", f"{right.values[index]:.4f}", f"{wrong.values[index]:.4f}"),
            (
                "sum of all outputs",
                three_digits(float(right.values.sum())),
                three_digits(float(wrong.values.sum())),
            ),
            (
                "largest difference of an output",
                "0",
                three_digits(float(abs(right.values - wrong.values).max())),
            ),
        ]
    if found.moved:
        rows.insert(-1, ("total variation, whole picture", "0", f"{found.moved[0]:.4f}"))
        rows.insert(-1, ("total variation, mean of five crops", "0", f"{mean(found.moved):.4f}"))
    rows += [(what, "", value) for what, value in wrong.numbers.items()]
    with st.expander("The difference in numbers, computed here", icon=":material/table:", expanded=True):
        st.table({"": [r[0] for r in rows], "right": [r[1] for r in rows], "wrong": [r[2] for r in rows]})


def _size(run: Run) -> str:
    return f"{run.view.shape[1]} × {run.view.shape[0]}"


def everything(picture: Picture, weights_id: str, here: Page) -> None:
    """All mistakes on this picture."""
    from explorer.labs.mistakes import comparing
    from explorer.ui.mistakes import figures

    found = once.ask(
        "mistakes",
        weights_id,
        (picture.digest,),
        lambda network: comparing.overview(network, picture.image),
        "All mistakes, one after the other: about ten seconds …",
    )
    made = figures.overview(found, comparing.MISTAKES, dark=here.dark)
    show_figure(
        made, here, "all_mistakes", height=455, alt="How far the whole answer moves, one bar a mistake"
    )
    kept = sum(each.same_answer for each in found.values())
    st.markdown(
        f"On this picture **{kept} of {len(found)}** mistakes leave the first answer as it is. A bar says "
        "how much of the probability has to move to make the right answer the wrong one: 0 % where nothing "
        "changes, 100 % where no class is shared. Farther is never better."
    )


def time_or_parameters(here: Page) -> None:
    """Three networks measured now, one counted."""
    from explorer.labs.mistakes import cost_of_networks as lab_costs
    from explorer.ui.mistakes import figures

    def compute() -> tuple[Cost, ...]:
        with st.spinner("Measuring three networks on this machine: about ten seconds …"):
            return tuple(lab_costs.measured(name) for name in lab_costs.MEASURED)

    found = once.once("costs", "measured", compute)
    show_figure(figures.costs(found, dark=here.dark), here, "costs", height=330)
    st.button("Measure again", icon=":material/refresh:", key="again", on_click=once.forget, args=("costs",))
    st.markdown(_verdict(found))
    st.markdown(_luggage(lab_costs.counted(lab_costs.COUNTED)))
    machine = lab_costs.machine()
    threads = f"{machine.threads} thread{'s' if machine.threads > 1 else ''}"
    st.caption(
        f"Measured here: CPU ({machine.processor}), {threads}, PyTorch {machine.torch}, float32, random "
        f"weights, one picture of 224 × 224 pixels, median of {lab_costs.PASSES} passes; whatever else runs "
        "on this machine slows it down. Parameters and MACs are counted in the network's graph (1 MAC = one "
        "multiply and one add)."
    )


def _verdict(found: tuple[Cost, ...]) -> str:
    """What the measurement says about parameters and time; Markdown."""
    from explorer.labs.mistakes.cost_of_networks import order

    by_size, by_time = order(found, "params"), order(found, "latency_ms")
    short = [name.partition(":")[2] for name in by_time]
    same = "this time the same as" if by_size == by_time else "**not** the same as"
    per_million = [(each.latency_ms or 0) / (each.params / 1e6) for each in found]
    spread = three_digits(max(per_million) / min(per_million))
    return (
        f"From fast to slow here: **{' < '.join(short)}**, {same} the order of their parameters. A million "
        f"parameters take **{spread} times** as long in one of these networks as in another."
    )


def _luggage(heavy: Cost) -> str:
    """The other half of the mistake: parameters that do little; Markdown."""
    return (
        f"**{heavy.name.partition(':')[2]}** (counted, not run) has {exact(heavy.params)} parameters, "
        f"{share(heavy.linear_share, 1)} of them in linear layers that do "
        f"{share(heavy.linear_macs_share, 1)} of its MACs. As a backbone, where these layers are cut "
        "off, most of what was downloaded is luggage."
    )


@st.cache_data(show_spinner=False)
def constants() -> list[tuple[str, str, int]]:
    """Mean, std and number of timm's weights that ask for them, the most frequent first."""
    from explorer.labs.mistakes.comparing import normalisations

    return [
        (", ".join(f"{each:.3g}" for each in mean), ", ".join(f"{each:.3g}" for each in std), number)
        for (mean, std), number in normalisations().most_common()
    ]


def formula(shown: str | None, mistake: Mistake) -> None:
    """The functions behind what is shown."""
    from explorer.labs import input_numbers
    from explorer.labs.mistakes import comparing, cost_of_networks, runs

    if shown == COSTS:
        explain.code(cost_of_networks.passes)
    elif shown == ALL:
        explain.code(comparing.total_variation, comparing.crops)
    else:
        last = runs.softmax if "softmax" in mistake.id else input_numbers.normalise
        explain.code(mistake.run, last, comparing.total_variation)


def sources() -> None:
    """Folded away: what is claimed about these mistakes, and what the installed packages say."""
    with st.expander("What is often said, checked", icon=":material/fact_check:"):
        rows = constants()
        total = sum(number for *_, number in rows)
        imagenet = next(number for mean, _, number in rows if mean == "0.485, 0.456, 0.406")
        st.markdown(
            f"- *Every ImageNet network wants mean 0.485, 0.456, 0.406.* Of timm's {exact(total)} sets of "
            f"weights with 1,000 classes {exact(imagenet)} do ({share(imagenet, total)}); the others ask for "
            "what the table shows (counted here, in the installed package).\n"
            f"- *The weights entry alone is worth almost five points.* {_entries()}\n"
            "- *Train mode makes the answer random.* Batch norm does not: the same batch gives the same "
            "numbers. Other company gives others, and only dropout and stochastic depth draw at random.\n"
            "- *Freezing is not eval mode.* So it is: see the mistake of that name, where no parameter "
            "moves and the running statistics do.\n"
            "- *Parameters do not tell the time.* Measured in the third view, on this machine.\n\n"
            "Ioffe and Szegedy 2015, [Batch Normalization](https://arxiv.org/abs/1502.03167), algorithm 2 "
            "(inference); Touvron et al. 2019, [Fixing the train-test resolution "
            "discrepancy](https://arxiv.org/abs/1906.06423) (crop and scale); Ma et al. 2018, [ShuffleNet "
            "V2](https://arxiv.org/abs/1807.11164), section 1 (MACs against time)."
        )
        st.table({"mean": [r[0] for r in rows], "std": [r[1] for r in rows], "weights": [r[2] for r in rows]})


def _entries() -> str:
    """Published top-1 of the two entries of torchvision's ResNet-50."""
    from explorer import networks

    ids = [f"torchvision:ResNet50_Weights.IMAGENET1K_{version}" for version in ("V1", "V2")]
    first, second = (networks.entry_of(each).facts["top1"].value for each in ids)
    return (
        f"torchvision publishes {first:.2f} % for ResNet-50's V1 and {second:.2f} % for its V2: "
        f"{second - first:.2f} points, one architecture, two recipes."
    )
