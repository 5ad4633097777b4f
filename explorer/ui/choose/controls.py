"""The controls of the Choose page: three questions answered by a click, all other limits behind "More"; what
the weights are wanted for, all of it in the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.choosing.constraints import NON_COMMERCIAL, OWN_TERMS, PERMISSIVE, Wishes
from explorer.analysis.choosing.pareto import Better
from explorer.analysis.numbers.memory import OPTIMISERS, Mode
from explorer.catalogue import FAMILIES
from explorer.catalogue.counts import STRIDES
from explorer.catalogue.network_names import TRAINING_DATA
from explorer.ui.kit import fields
from explorer.ui.network.candidates import ALL_MEASURES, Data

RANK, SPEED, LIMIT, PARAMS, MACS, PIXELS = "crank", "con", "cspeed", "cparams", "cmacs", "cpixels"
MEMORY, MODE, BATCH, OPTIMISER, WEIGHTS = "cmemory", "cmode", "cbatch", "coptimiser", "cweights"
MAPS, BUILT, LICENCE, PICTURES, FAMILY, IMAGES = "cmaps", "cbuilt", "clicence", "cdata", "cfamily", "cimages"
ANY = "any"
_EXAMPLE = "choose_example"
WHERE, HOW_FAST, WHICH_LICENCE, MORE = "choose_where", "choose_how_fast", "choose_licence", "choose_more"
# Answers to "where": measures of speed in the words of the question, the first one there is first.
_WHERE: Mapping[str, str] = MappingProxyType(
    {
        "throughput i7-12700h": "Laptop (Core i7)",
        "throughput 3090": "RTX 3090",
        "throughput 5090": "RTX 5090",
        "latency here": "This machine, one by one",
        "throughput here": "This machine, in batches",
    }
)
# Answers to "how fast", by the unit of the measure.
HOW_FAST_ANSWERS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"images/s": (10.0, 30.0, 100.0, 1000.0), "ms": (100.0, 33.0, 10.0)}
)
_BATCHES = tuple(2**power for power in range(11))
_MODES: tuple[Mode, ...] = ("inference", "training")
_MAPS: Mapping[str, tuple[int, ...]] = {"none": (), "8, 16, 32": STRIDES[1:], "4, 8, 16, 32": STRIDES}
_BUILT: Mapping[str, tuple[str, ...]] = {
    ANY: (), "timm": ("timm",), "torchvision": ("torchvision",), "both": ("timm", "torchvision")
}  # fmt: skip
_LICENCES: Mapping[str, frozenset[str]] = {
    ANY: frozenset(),
    "permissive": frozenset({PERMISSIVE}),
    "any stated": frozenset({PERMISSIVE, NON_COMMERCIAL, OWN_TERMS}),
}
_NOTHING: Mapping[str, Any] = MappingProxyType(
    {
        RANK: "top1", SPEED: ANY, LIMIT: None, PARAMS: None, MACS: None, PIXELS: None, MEMORY: None,
        MODE: "inference", BATCH: 1, OPTIMISER: "SGD + momentum", WEIGHTS: None, MAPS: "none", BUILT: ANY,
        LICENCE: ANY, PICTURES: [], FAMILY: [], IMAGES: None,
    }
)  # fmt: skip
# Cases to begin with; the limits are the case, not findings. No licence: torchvision states none.
EXAMPLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "A laptop's processor": {SPEED: "throughput i7-12700h", LIMIT: 30.0},
        "A small device": {PARAMS: 6.0, MACS: 0.5, PIXELS: 256},
        "A detector's backbone": {
            MAPS: "4, 8, 16, 32", MODE: "training", BATCH: 16, MEMORY: 12.0, SPEED: "throughput 3090",
            LIMIT: 800.0,
        },
        "Few pictures of one's own": {IMAGES: 5000, PARAMS: 30.0, BUILT: "both", MACS: 5.0},
        "Nothing asked": {},
    }
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """images: training pictures the visitor has; no limit, only advice hangs on it."""

    wishes: Wishes
    measure: str
    images: int | None

    @property
    def better(self) -> Better:
        return ALL_MEASURES[self.measure].better


def start(data: Data) -> dict[str, Any]:
    """Nothing asked, so that nothing is kept out; the first device whose speeds are known is told of."""
    return {**_NOTHING, SPEED: next(iter(_places(data)), ANY)}


def _case(example: Mapping[str, Any], data: Data) -> dict[str, Any]:
    chosen = {**_NOTHING, **example}
    if chosen[SPEED] not in _speeds(data):
        chosen |= {SPEED: ANY, LIMIT: None}
    return chosen


def _speeds(data: Data) -> list[str]:
    return [name for name in data.measures() if ALL_MEASURES[name].unit in ("images/s", "ms")]


def controls(data: Data) -> Asked:
    """The three questions in a row, and everything that can be asked in a form below."""
    first = start(data)
    questions = st.container(key="asks_choose")  # the page's point: never folded away
    with st.expander("More: rank by, size, memory, maps ...", key=MORE, icon=":material/tune:"):
        asked = _form(data, first)
    _questions(questions, data, first)
    return asked


def _questions(place: DeltaGenerator, data: Data, first: Mapping[str, Any]) -> None:
    """Each answer goes into the field of the form below, which the link carries; clicked again it is gone."""
    now = st.session_state
    places, speed, limit = _places(data), str(now.get(SPEED) or ANY), now.get(LIMIT)
    unit = ALL_MEASURES[speed].unit if speed in ALL_MEASURES else "images/s"
    slots = place.columns([3.5, 3.3, 3, 1.2], vertical_alignment="bottom")

    def where() -> None:
        other = now[WHERE] and ALL_MEASURES[now[WHERE]].unit != unit
        now.update({SPEED: now[WHERE] or ANY} | ({LIMIT: None} if other or not now[WHERE] else {}))

    def how_fast() -> None:
        now[LIMIT] = now[HOW_FAST]
        if speed not in places and places:
            now[SPEED] = next(iter(places))

    _answers(slots[0], "Where will it run?", WHERE, places, speed, where, places.__getitem__)
    asked = "How fast?" if unit == "ms" else "How fast? Images a second"
    _answers(
        slots[1], asked, HOW_FAST, HOW_FAST_ANSWERS[unit] if places else (), limit, how_fast,
        lambda value: f"≤ {value:g} ms" if unit == "ms" else f"≥ {value:,g}",
    )  # fmt: skip
    _answers(
        slots[2], "Which licence?", WHICH_LICENCE, [name for name in _LICENCES if name != ANY],
        now.get(LICENCE), lambda: now.update({LICENCE: now[WHICH_LICENCE] or ANY}),
        {"permissive": "Commercial use too", "any stated": "Any that is stated"}.__getitem__,
    )  # fmt: skip
    with slots[3]:
        fields.reset(first)


def _answers(
    slot: DeltaGenerator,
    question: str,
    key: str,
    options: Iterable[Any],
    given: Any,
    answer: Callable[[], None],
    shown: Callable[[Any], str],
) -> None:
    offered = list(options)
    st.session_state[key] = given if given in offered else None
    if offered:
        slot.pills(question, offered, key=key, on_change=answer, format_func=shown)


def _places(data: Data) -> dict[str, str]:
    """Measures of speed that are known, in the words of the question."""
    known = _speeds(data)
    return {name: words for name, words in _WHERE.items() if name in known}


def _form(data: Data, first: Mapping[str, Any]) -> Asked:
    top = st.columns([2.3, 2.2, 2.4, 1.7, 1.6, 1.6], vertical_alignment="bottom")
    _examples(top[0], data)
    measures = list(data.measures())
    measure = top[1].selectbox(
        "Rank by", measures, index=measures.index(first[RANK]), key=RANK, bind="query-params",
        format_func=_title,
    )  # fmt: skip
    row = st.columns([1.8, 1.7, 1.3, 1.8, 1.6, 1.6, 1.9], vertical_alignment="bottom")
    limits, needs = _limits(top[2:6], data, first), _needs(row, first)
    images = fields.number_field(
        row[6], "Your pictures", IMAGES, least=1, step=1000, value=first[IMAGES],
        placeholder="how many", help="Training pictures. No limit hangs on it, but advice does.",
    )  # fmt: skip
    more = _more(first)
    return Asked(Wishes(**limits, **needs, **more), measure, images)


def _limits(slots: Sequence[DeltaGenerator], data: Data, first: Mapping[str, Any]) -> dict[str, Any]:
    speed = _speed(slots[0], data, first)
    limit = _number(slots[1], _limit_title(speed), LIMIT, first, step=10.0, disabled=speed == ANY)
    return {
        "speed": "" if speed == ANY else speed,
        "speed_limit": limit,
        "params": _times(_number(slots[2], "Parameters ≤ (M)", PARAMS, first, step=5.0), 1e6),
        "macs": _times(_number(slots[3], "MACs ≤ (G)", MACS, first, step=0.5), 1e9),
    }


def _needs(slots: Sequence[DeltaGenerator], first: Mapping[str, Any]) -> dict[str, Any]:
    memory = _number(slots[0], "Memory ≤ (GiB)", MEMORY, first, step=1.0)
    mode = slots[1].selectbox(
        "Memory for", _MODES, index=_MODES.index(first[MODE]), key=MODE, bind="query-params",
        help="One step on a batch in float32. Training holds gradients, optimiser state, activations too. "
        "Limits on parameters, MACs and weights are for the form of the network that this asks for.",
    )  # fmt: skip
    batch = slots[2].selectbox(
        "Batch", _BATCHES, index=_BATCHES.index(first[BATCH]), key=BATCH, bind="query-params"
    )
    equated = "“both”: as far as the catalogue equates them."
    maps = _menu(slots[3], "Maps at strides", list(_MAPS), MAPS, first, "For detection and segmentation.")
    built = _menu(slots[4], "Built by", list(_BUILT), BUILT, first, equated)
    licence = _menu(slots[5], "Licence", list(_LICENCES), LICENCE, first, "As the weights' publisher says.")
    return {
        "memory_bytes": _times(memory, 2**30),
        "mode": mode,
        "batch_size": batch,
        "strides": _MAPS[maps],
        "built_by": _BUILT[built],
        "licences": _LICENCES[licence],
    }


def _more(first: Mapping[str, Any]) -> dict[str, Any]:
    slots = st.columns([1.6, 1.6, 2.2, 3.2, 3.2], vertical_alignment="bottom")
    pixels = fields.number_field(
        slots[0], "Image size ≤ (px)", PIXELS, least=32, step=32, value=first[PIXELS]
    )
    weights = _number(slots[1], "Weight file ≤ (MiB)", WEIGHTS, first, step=10.0)
    optimiser = slots[2].selectbox(
        "Optimiser, for training memory", list(OPTIMISERS), key=OPTIMISER, bind="query-params",
        index=list(OPTIMISERS).index(first[OPTIMISER]),
    )  # fmt: skip
    pictures = slots[3].multiselect("Trained on", TRAINING_DATA, key=PICTURES, bind="query-params")
    families = slots[4].multiselect(
        "Family",
        list(FAMILIES),
        key=FAMILY,
        bind="query-params",
        format_func=lambda name: FAMILIES[name].name,
    )
    return {
        "image_size": pixels,
        "weight_bytes": _times(weights, 2**20),
        "optimiser": optimiser,
        "training_data": frozenset(pictures),
        "families": frozenset(families),
    }


def _times(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit


def _examples(slot: DeltaGenerator, data: Data) -> None:
    def chosen() -> None:
        if st.session_state[_EXAMPLE]:
            st.session_state.update(_case(EXAMPLES[st.session_state[_EXAMPLE]], data))
            st.session_state[_EXAMPLE] = None

    slot.selectbox(
        "Begin with", list(EXAMPLES), index=None, key=_EXAMPLE, on_change=chosen, placeholder="An example",
        help="Fills in limits of a typical case; change them as you like.",
    )  # fmt: skip


def _speed(slot: DeltaGenerator, data: Data, first: Mapping[str, Any]) -> str:
    speeds = [ANY, *_speeds(data)]
    return slot.selectbox(
        "Speed on", speeds, index=speeds.index(first[SPEED]), key=SPEED, bind="query-params",
        format_func=lambda name: "Any" if name == ANY else _title(name).removeprefix("Throughput, "),
        help="Published by timm, or measured on this machine.",
    )  # fmt: skip


def _limit_title(speed: str) -> str:
    unit = ALL_MEASURES[speed].unit if speed in ALL_MEASURES else "images/s"
    return "At most (ms)" if unit == "ms" else "At least (images/s)"


def _number(
    slot: DeltaGenerator, title: str, key: str, first: Mapping[str, Any], step: float, disabled: bool = False
) -> float | None:
    return slot.number_input(
        title, min_value=0.0, step=step, value=first[key], key=key, bind="query-params", format="%g",
        placeholder="any", disabled=disabled,
    )  # fmt: skip


def _menu(
    slot: DeltaGenerator, title: str, options: Sequence[str], key: str, first: Mapping[str, Any], help: str
) -> str:
    return slot.selectbox(
        title, options, index=list(options).index(first[key]), key=key, bind="query-params", help=help
    )


def _title(measure: str) -> str:
    return ALL_MEASURES[measure].title
