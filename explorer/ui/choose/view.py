"""The Choose page: who passes and why, what knocked out the others, why not this one, and rules of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import pandas as pd
import streamlit as st

from explorer.analysis.choosing import rules_of_thumb
from explorer.analysis.choosing.candidates import MEASURES, Candidate
from explorer.analysis.choosing.constraints import Wishes, counted, in_form, memory_bytes, reasons
from explorer.analysis.choosing.constraints import asked as in_force
from explorer.analysis.choosing.ranking import Choice, choose, one_a_network
from explorer.analysis.choosing.rules_of_thumb import Rule, Scene
from explorer.ui.choose import words
from explorer.ui.choose.controls import HOW_FAST_ANSWERS, Asked
from explorer.ui.diagram.svg import variables
from explorer.ui.frame import links
from explorer.ui.kit import explain, theme
from explorer.ui.kit.formatting import count, exact, plain
from explorer.ui.network.candidates import ALL_MEASURES, Data

WHY_NOT = "cwhy"
_CARDS, _ROWS = 3, 200
_TWO_FORMS = ("params", "macs", "deployed params", "deployed macs")
_COUNTS = (*_TWO_FORMS, "activations", "deployed activations")
_SHOWN = ("card", "edge", "line", "muted", "accent", "text")


def loadable(data: Data) -> tuple[Candidate, ...]:
    """What can be chosen: weights that one can load, not results that papers print, and not the toy networks
    on which timm tests its code."""
    return tuple(each for each in data.candidates if each.weights and not each.for_tests)


def show(candidates: Sequence[Candidate], asked: Asked) -> Choice:
    """The ranking on the left; on the right what each wish costs."""
    theme.apply("choose/page.css")
    found = choose(candidates, asked.wishes, asked.measure, asked.better)
    headline = plain(words.headline(found, len(candidates), asked))
    if found.kept:
        st.markdown(f"**{headline}**")
    else:
        st.warning(headline, icon=":material/block:")
    if found.kept:
        left, right = st.columns([2.6, 1], gap="medium")
        with left:
            _first(found, asked)
    else:
        right = st.container()
    knocked = found.knocked_out()
    if told := _knocked_out(found, asked) if knocked else _would_leave(candidates, asked):
        right.html(told)
    costs = (
        "Which limit costs most? Beside each stands how many it keeps out, and in the stronger part how many "
        "it keeps out alone."
        if knocked
        else "How much of the best is left when it must be quick?"
    )
    explain.look_for(
        f"{costs} A top-1 is that of ImageNet and of one recipe: between close neighbours speed and licence "
        "are better reasons than a tenth of a point."
    )
    return found


def _first(found: Choice, asked: Asked) -> None:
    networks = one_a_network(found.kept)
    cards = [
        _card(place, those, asked) for place, those in enumerate(list(networks.values())[:_CARDS], start=1)
    ]
    st.html(f'<div class="chosen" style="{_style()}">{"".join(cards)}</div>')
    leaders = [those[0] for those in networks.values()][:_CARDS]
    with st.container(horizontal=True, gap="small"):
        for place, each in enumerate(leaders):
            name = plain(each.reference.partition(":")[2])
            links.architecture(each.arch, name, f"chosen_{place}", each.image_size)
        if len(leaders) > 1:
            names = ",".join(each.compared for each in leaders)
            address = links.address("compare", networks=names)
            links.button(address, "Compare these", "compare_chosen", ":material/compare:")


def _card(place: int, those: Sequence[Candidate], asked: Asked) -> str:
    """The best weights of one network, its reasons as numbers."""
    best, wishes = those[0], asked.wishes
    lines = [
        f"<li><b>{escape(words.number(of.value, of.unit))}</b> {escape(words.title(name, wishes))}"
        f"<span>{escape(_bound(of.better))}{escape(words.number(of.limit, of.unit))} · {of.basis}</span></li>"
        for name, of in reasons(best, wishes).items()
    ]
    lines += [
        f"<li><b>{escape(words.measured(best, in_form(name, wishes)))}</b> {escape(ALL_MEASURES[name].title)}"
        f"<span>{words.basis(name) if name == wishes.speed else counted(best, wishes)}</span></li>"
        for name in _also_told(wishes)
    ]
    if asked.images and "params" in best.values:
        ratio = count(best.values["params"] / asked.images)
        lines.append(f"<li><b>{ratio}</b> parameters for each of your pictures<span>counted</span></li>")
    more = f" · {len(those) - 1} more of this network pass" if len(those) > 1 else ""
    family = theme.FAMILIES.get(best.family or "", theme.NEUTRAL)
    known = f"at {best.image_size} px · {best.training_data} · {best.licence or 'no licence'}"
    return (
        f'<section style="border-top-color:light-dark({family.light}, {family.dark})">'
        f"<p><span>{place}</span><strong>{escape(words.measured(best, asked.measure))}</strong> "
        f"{escape(ALL_MEASURES[asked.measure].title)}</p><h2>{escape(best.name)}</h2>"
        f"<small>{escape(known)} · {words.basis(asked.measure)} by {escape(best.published_by)}{more}</small>"
        f"<ul>{''.join(lines)}</ul></section>"
    )


def _also_told(wishes: Wishes) -> list[str]:
    """Measures that say what a network costs, of those on which no limit is set."""
    limited = {wishes.speed if name == "speed" else name for name in in_force(wishes)}
    return [name for name in (wishes.speed, "params", "macs") if name and name not in limited]


def _bound(better: str | None) -> str:
    return {"less": "at most ", "more": "at least ", None: "asked: "}[better]


def _style() -> str:
    colours = variables(None)
    return escape(";".join(f"--{name}:{colours[name]}" for name in _SHOWN))


def _knocked_out(found: Choice, asked: Asked) -> str:
    """A bar a constraint: how many it keeps out, and how many of these it alone."""
    knocked = found.knocked_out()
    most = max(several for several, _ in knocked.values())
    bars = "".join(
        f"<li><p>{escape(words.title(name, asked.wishes))}"
        f"<span>{exact(several)} · alone {exact(alone)}</span></p>{_unmeasured(found, name)}"
        f'<div><i style="width:{100 * several / most:.1f}%">'
        f'<b style="width:{100 * alone / several:.1f}%"></b></i></div></li>'
        for name, (several, alone) in sorted(knocked.items(), key=lambda each: -each[1][0])
    )
    gives = "".join(f"<li>{escape(each)}</li>" for each in words.gives(found, asked)[:3])
    given = f"<h2>What would have to give</h2><ol>{gives}</ol>" if gives else ""
    heading = "<h2>What knocked out the others</h2>"
    return f'<div class="knocked" style="{_style()}">{heading}<ul>{bars}</ul>{given}</div>'


def _would_leave(candidates: Sequence[Candidate], asked: Asked) -> str:
    """A bar an answer to "how fast": how many would pass, and the best of them; "" without a device."""
    speed = asked.wishes.speed
    if not speed or asked.wishes.speed_limit is not None:
        return ""
    unit = ALL_MEASURES[speed].unit
    bars = []
    for limit in HOW_FAST_ANSWERS[unit]:
        kept = choose(candidates, replace(asked.wishes, speed_limit=limit), asked.measure, asked.better).kept
        best = f"{kept[0].name}, {words.measured(kept[0], asked.measure)}" if kept else "nothing"
        bars.append(
            f"<li><p>{'at most' if unit == 'ms' else 'at least'} {escape(words.number(limit, unit))}"
            f"<span>{exact(len(kept))} pass</span></p><small>{escape(best)}</small>"
            f'<div><i style="width:{100 * len(kept) / len(candidates):.1f}%"></i></div></li>'
        )
    heading = f"<h2>What a speed would leave</h2><small>{escape(ALL_MEASURES[speed].title)}</small>"
    return f'<div class="knocked" style="{_style()}">{heading}<ul>{"".join(bars)}</ul></div>'


def _unmeasured(found: Choice, name: str) -> str:
    number = found.unmeasured.get(name, 0)
    return f"<small>of {exact(number)} nobody knows it</small>" if number else ""


def ranking(found: Choice, asked: Asked) -> None:
    """All that pass, one line a network, and the file with every digit."""
    networks = one_a_network(found.kept)
    if not networks:
        return
    table = frame(list(networks.values()), asked)
    st.dataframe(
        table.head(_ROWS),
        hide_index=True,
        height=390,
        placeholder="not known",
        column_config={
            name: st.column_config.NumberColumn(format="localized" if _whole(name) else "%.4g")
            for name in table.columns
            if table[name].dtype.kind in "fi"
        },
        alt="Networks that pass, best first",
    )
    left, right = st.columns([8, 1.4], vertical_alignment="center")
    left.caption(
        f"One line for each of {len(networks)} networks, by its best weights that pass; the first {_ROWS} "
        "are shown. Parameters and MACs are counted by this program, as the network is trained and as it is "
        "deployed: limits hold for the form that “Memory for” asks for. Memory follows from its trace, "
        "accuracy and speed are published by timm and torchvision, unless the column says “here”. 1 MAC = "
        "one multiply and one add."
    )
    right.download_button(
        "CSV", table.to_csv(index=False).encode(), "choice.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="choose_csv",
    )  # fmt: skip


def _whole(column: str) -> bool:
    return column.endswith("(bytes)") or column in (ALL_MEASURES[name].title for name in _COUNTS)


def frame(networks: Sequence[Sequence[Candidate]], asked: Asked) -> pd.DataFrame:
    """Exact values; missing where nobody measured."""
    wishes = asked.wishes
    columns = list(
        dict.fromkeys([asked.measure, "top1", *([wishes.speed] if wishes.speed else []), *_TWO_FORMS])
    )
    lines = []
    for place, those in enumerate(networks, start=1):
        best = those[0]
        line: dict[str, object] = {"place": place, "weights": best.name, "px": best.image_size}
        for name in columns:
            unit = ALL_MEASURES[name].unit
            line[f"{ALL_MEASURES[name].title}{f' ({unit})' if unit else ''}"] = best.value(name)
        if wishes.memory_bytes is not None:
            line[f"{words.title('memory', wishes)} (bytes)"] = memory_bytes(best, wishes)
        line |= {
            "trained on": best.training_data, "licence": best.licence, "by": best.published_by,
            "sets that pass": len(those),
        }  # fmt: skip
        lines.append(line)
    return pd.DataFrame(lines)


def why_not(candidates: Sequence[Candidate], found: Choice, asked: Asked) -> None:
    """Any weights, wish by wish."""
    names = {each.id: each for each in candidates}
    identifier = st.selectbox(
        "Why not this one?", list(names), index=None, key=WHY_NOT, bind="query-params",
        format_func=lambda each: f"{names[each].name} at {names[each].image_size} px",
        placeholder="Type a name", filter_mode="contains",
    )  # fmt: skip
    if identifier is None:
        return
    each = names[identifier]
    judged = reasons(each, asked.wishes)
    broken = found.broken.get(identifier, ())
    if not broken:
        place = list(one_a_network(found.kept)).index(each.reference) + 1
        st.markdown(
            f"It passes: network {place} in the ranking, {plain(words.measured(each, asked.measure))}."
        )
    for name, of in judged.items():
        icon = ":material/check:" if of.holds else ":material/block:"
        st.markdown(f"{icon} {plain(words.reason(name, of, asked.wishes))} ({of.basis})")
    links.architecture(each.arch, "Its architecture", "judged_architecture", each.image_size)


def rules(candidates: Sequence[Candidate], found: Choice, asked: Asked) -> None:
    """Advice of the documents, marked as such, each with what the figures say under the wishes in force."""
    cost = (
        asked.wishes.speed
        if asked.wishes.speed in MEASURES and asked.wishes.speed != asked.measure
        else "macs"
    )
    cost = "params" if cost == asked.measure else cost
    measure = asked.measure if asked.measure in MEASURES else "top1"
    scene = Scene(candidates, found.kept, measure, MEASURES[measure].better, cost)
    st.caption(
        "Advice as the documents give it, not a finding: nothing above is left out because of it. Below each "
        "rule is what the figures at hand say of it, under the limits set above."
    )
    columns = st.columns(2, gap="large")
    for place, (rule, fits) in enumerate(rules_of_thumb.ordered(asked.images, bool(asked.wishes.strides))):
        with columns[place % 2]:
            _rule(rule, fits, scene)


def _rule(rule: Rule, fits: bool, scene: Scene) -> None:
    badge = " :blue-badge[meant for your case]" if fits else ""
    st.markdown(f":material/menu_book: **{plain(rule.says)}** {plain(rule.source)}{badge}")
    told = rule.data(rule, scene)
    st.markdown("\n".join(f"- {plain(each)}" for each in told) or "- Nothing at hand speaks to it.")


def remarks(data: Data) -> None:
    """What the tables lack."""
    if data.rows:
        when = f", read on {data.read_on.isoformat()}" if data.read_on else ""
        st.caption(f"{exact(data.rows)} rows of timm's published tables{when}; torchvision's own entries.")
    if data.measured_on:
        st.caption(f"Measured here: on {plain(data.measured_on)}, in float32.")
    for each in data.remarks:
        st.caption(f":material/info: {plain(each)}")
