"""The pages there are: file, title, icon, sentence and the menu each stands in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the navigation; `sentence` stands under the page's title and in the menu's tooltip.

    section: the menu it stands in; "" for the bar itself. choosing: the page takes a network of its own where
    the visitor has chosen none, so that the picker shows none.
    """

    script: str
    title: str
    icon: str
    sentence: str
    section: str = ""
    choosing: bool = False


LABS = "Labs"
NUMBERS = "Numbers"
QUESTIONS = "Questions"
ENTRIES = (
    Entry(
        "pages/timeline.py",
        "Timeline",
        ":material/timeline:",
        "What capped the last architecture, and which idea removed that ceiling?",
        choosing=True,
    ),
    Entry(
        "pages/architecture.py",
        "Architecture",
        ":material/account_tree:",
        "One network as an open book: its idea, its blocks, its numbers.",
    ),
    Entry(
        "pages/inference.py",
        "Inference",
        ":material/image_search:",
        "Give a network your photo: what it answers, where it looked, what its layers saw.",
        choosing=True,
    ),
    Entry(
        "pages/receptive_field.py",
        "Receptive field",
        ":material/center_focus_strong:",
        "How much of the picture does one unit see: by theory, and by what really moves it?",
        LABS,
    ),
    Entry(
        "pages/normalisation.py",
        "Normalisation",
        ":material/equalizer:",
        "Who shares a mean with whom, what that does to the values, and what becomes of it at test time.",
        LABS,
        choosing=True,
    ),
    Entry(
        "pages/gradient_flow.py",
        "Gradient flow",
        ":material/trending_down:",
        "How far back does the loss's gradient reach, and what lets it through?",
        LABS,
    ),
    Entry(
        "pages/degradation.py",
        "Degradation",
        ":material/stacked_line_chart:",
        "Do more layers train worse? Plain and residual twins of 20 and 56 layers, really trained.",
        LABS,
    ),
    Entry(
        "pages/inductive_bias.py",
        "Inductive bias",
        ":material/open_with:",
        "Shift the picture: does the feature map shift with it, does the answer stay?",
        LABS,
        choosing=True,
    ),
    Entry(
        "pages/many_maps.py",
        "Many maps",
        ":material/grid_view:",
        "One photo, many heatmaps: by method, network, layer or class. Where do they agree?",
        LABS,
        choosing=True,
    ),
    Entry(
        "pages/covering.py",
        "Cover it up",
        ":material/gesture:",
        "Paint over your photo: what does the answer hang on, and was the heatmap right about it?",
        LABS,
        choosing=True,
    ),
    Entry(
        "pages/mistakes.py",
        "Common mistakes",
        ":material/bug_report:",
        "The same picture, the same network, one line wrong: what it answers then.",
        LABS,
        choosing=True,
    ),
    Entry(
        "pages/efficiency.py",
        "Efficiency",
        ":material/scatter_plot:",
        "What every set of weights costs and how good it is: which of them does nothing else beat?",
        NUMBERS,
    ),
    Entry(
        "pages/measure.py",
        "Measure here",
        ":material/timer:",
        "How fast is it on this very machine, how much memory does it take, and where does the time go?",
        NUMBERS,
    ),
    Entry(
        "pages/compare.py",
        "Compare",
        ":material/compare:",
        "Two to four networks side by side: what each costs, how they differ, how far they see.",
        NUMBERS,
    ),
    Entry(
        "pages/choose.py",
        "Choose",
        ":material/rule:",
        "Say what a network is for: which published weights fit, why, and which wish keeps out the others?",
        NUMBERS,
    ),
    Entry(
        "pages/claims.py",
        "Claims",
        ":material/fact_check:",
        "What the sources say in numbers, checked: each verdict follows from what was printed and measured.",
        QUESTIONS,
    ),
    Entry(
        "pages/quiz.py",
        "Quiz",
        ":material/quiz:",
        "Could you have worked it out? Answers are computed, many a wrong one is explained.",
        QUESTIONS,
    ),
)
