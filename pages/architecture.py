"""Architecture: the idea, the blocks and the numbers of one network, read off its own trace."""

import streamlit as st

from explorer.ui.architecture import details
from explorer.ui.architecture import drawings as graph
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import formatting
from explorer.ui.kit.ending import end
from explorer.ui.network import choices, notes, stats_sheet
from explorer.ui.network import sheet as view

here = page.begin()
choices.bind(here.arch)
subject = view.subject(here)
here.title(formatting.plain(subject.title), formatting.plain(subject.origin))

if subject.reference is None:
    notes.story(subject.entry)
    end()

told, size_field = st.columns([4.6, 1], vertical_alignment="center")
with told:
    notes.ceiling_and_idea(subject.entry)
place = st.empty()  # of all that follows: what is old leaves it when something has to be computed
wait_for_imports(place, view.HEIGHT)
with size_field, st.container(key="image_size"):
    size = choices.image_size(view.own_size(subject.reference))
sheet = view.load(subject, size, place)
if sheet is None:
    notes.story(subject.entry)
    end()

with place.container():
    stats_sheet.headline(sheet.stats, sheet.index)
    graph.show(sheet, subject, here.arch, dark=here.dark)
    stats_sheet.shares(sheet.stats, dark=here.dark)
    with st.container(key="small_print"):  # a presentation does without it
        view.provenance(subject)
        st.caption(stats_sheet.conventions(sheet.stats, subject.reference))
    details.show(sheet, subject, here.arch, dark=here.dark)
