"""Architecture: the idea, the blocks and the numbers of one network, read off its own trace."""

import streamlit as st

from explorer.ui import architecture_choices as choices
from explorer.ui import architecture_graph as graph
from explorer.ui import architecture_view as view
from explorer.ui import formatting, layer_table, memory_panel, notes, page, stats_sheet, weights_panel

here = page.begin()
choices.bind(here.arch)
subject = view.subject(here)
here.title(formatting.plain(subject.title), formatting.plain(subject.sentence))

if subject.reference is None:
    view.provenance(subject)
    notes.story(subject.entry)
    st.stop()

view.wait_for_imports()
with st.container(key="small_print"):  # a presentation does without it
    about, size_field = st.columns([4, 1], vertical_alignment="center")
with about:
    view.provenance(subject)
with size_field:
    size = choices.image_size(view.own_size(subject.reference))
sheet = view.load(subject, size)
if sheet is None:
    notes.story(subject.entry)
    st.stop()

stats_sheet.headline(sheet.stats, sheet.index)
graph.show(sheet, subject, here.arch, dark=here.dark)
stats_sheet.shares(sheet.stats, dark=here.dark, rem=here.rem)
st.caption(stats_sheet.conventions(sheet.stats, subject.reference))

layers, results, weights, memory, story = st.tabs(
    ["Layers", "Published results", "Weights", "Memory", "Story"], key=choices.TAB, bind="query-params"
)
with layers:
    layer_table.show(sheet.layers, sheet.stages, f"{subject.reference.title}-layers.csv")
with results:
    notes.results(subject.entry, of_another_size=not subject.own_facts)
if weights.open:  # listing them asks every builder, so only who looks waits
    with weights:
        weights_panel.show(subject.reference, here.arch)
with memory:
    memory_panel.show(sheet.trace, dark=here.dark, rem=here.rem)
with story:
    notes.story(subject.entry)
