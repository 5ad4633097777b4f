"""What the catalogue knows about an architecture: its story and its published results, for reading."""

from html import escape

import streamlit as st

from explorer import catalogue
from explorer.ui.frame import state
from explorer.ui.kit.formatting import plain

_RESULT_NAMES = {
    "top1": "ImageNet top-1",
    "top5": "ImageNet top-5",
    "top5_error": "ImageNet top-5 error",
    "params": "Parameters",
    "macs": "MACs",
    "cifar10_error": "CIFAR-10 error",
    "cifar100_error": "CIFAR-100 error",
    "mnist_error": "MNIST error",
}


def ceiling_and_idea(entry: catalogue.Architecture | None) -> None:
    """What capped the networks before this one, and what removed it, side by side."""
    if entry is None:
        return
    parts = (("The ceiling before it", entry.ceiling), ("The idea", entry.idea))
    told = "".join(f"<p><b>{title}</b> {escape(text)}</p>" for title, text in parts if text)
    st.html(f'<div class="ceiling-and-idea">{told}</div>')


def story(entry: catalogue.Architecture | None) -> None:
    """The ceiling, the idea that removed it, and what practice made of it."""
    if entry is None:
        st.info(
            "The catalogue tells no story of this network: it was opened by its name.", icon=":material/info:"
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        _paragraph("The ceiling before it", entry.ceiling)
        _paragraph("The idea", entry.idea)
        _list("Also new", entry.novelties)
        _paragraph("Still used for", entry.used_for)
    with right:
        _list("Where it fails", entry.failure_cases)
        _list("Common mistakes", entry.mistakes)
        _relatives("Came from", entry.came_from)
        _relatives("Led to", catalogue.led_to(entry.id))
        st.markdown(f"**Paper**  \n{_citation(entry.paper)}")


def results(entry: catalogue.Architecture | None, *, of_another_size: bool = False) -> None:
    """Every published number with its source and protocol; where sources disagree, each of them."""
    if entry is None or not entry.facts:
        st.info("The catalogue cites no published result for this network.", icon=":material/info:")
        return
    if of_another_size:
        st.warning(
            f"These are the results of {plain(entry.name)}, of which this network is another size.",
            icon=":material/info:",
        )
    rows = [_row(key, fact) for key, facts in entry.facts.items() for fact in facts]
    st.table(rows, border="horizontal")
    disagreeing = [
        _RESULT_NAMES.get(key, key).removeprefix("ImageNet ")
        for key, facts in entry.facts.items()
        if len({fact.value for fact in facts}) > 1
    ]
    if disagreeing:
        st.caption(
            f"Several values stand side by side for {', '.join(disagreeing)}: "
            "the protocol and the note say what sets them apart."
        )


def _row(key: str, fact: catalogue.Fact) -> dict[str, str]:
    source = f"[{plain(fact.source)}]({fact.url})" if fact.url else plain(fact.source)
    return {
        "Result": _RESULT_NAMES.get(key, key),
        "Value": f"{fact.value:.10g} {plain(fact.unit)}",
        "Protocol": plain(fact.protocol) or "–",
        "Source": source,
        "Note": plain(fact.note),
    }


def _paragraph(title: str, text: str) -> None:
    if text:
        st.markdown(f"**{title}**  \n{plain(text)}")


def _list(title: str, lines: tuple[str, ...]) -> None:
    if lines:
        st.markdown(f"**{title}**\n" + "\n".join(f"- {plain(line)}" for line in lines))


def _relatives(title: str, identifiers: tuple[str, ...]) -> None:
    """Buttons that open the relatives on this very page."""
    if not identifiers:
        return
    st.markdown(f"**{title}**")
    with st.container(horizontal=True, gap="small"):
        for identifier in identifiers:
            relative = catalogue.get(identifier)
            st.button(
                f"{relative.name} · {relative.year}",
                key=f"{title}-{identifier}",
                help=relative.idea,
                on_click=state.choose,
                args=(identifier,),
            )


def _citation(paper: catalogue.Paper) -> str:
    return f"{plain(paper.authors)}: [{plain(paper.title)}]({paper.url}). {plain(paper.venue)}, {paper.year}."
