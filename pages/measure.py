"""Measure here: latency, throughput and memory on this machine, and where the time goes inside a network."""

import streamlit as st

from explorer.analysis.numbers import roofline
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, fields
from explorer.ui.kit.ending import end
from explorer.ui.measure import controls, layers, results
from explorer.ui.measure.running import Job, Task
from explorer.ui.network import several

here = page.begin()
several.bind(here)
wait_for_imports(st.container())
top = st.columns([3.4, 4, 1.9, 1.3], vertical_alignment="center")
shown = controls.view(top[0])
with top[3]:
    fields.reset(controls.START)
row = st.columns([5.9, 2.9, 1.6, 1.6], vertical_alignment="bottom")
names = several.menu(row[0], here, controls.PAIR, controls.ABOUT_NETWORKS)
choices = controls.row(row[1], row[2], row[3])
with st.container():  # one place, however many of them have to be waited for
    chosen = several.load(names, choices.pixels)
if not chosen:
    st.info("Choose a network above.", icon=":material/info:")
    end()

if shown == controls.RESULTS:
    setting, sizes = choices.setting, choices.batch_sizes
else:
    setting, sizes = layers.eager(choices.setting), choices.batch_sizes[:1]
tasks = [
    Task(each.asked.reference, title, each.pixels, size)
    for each, title in zip(chosen, controls.titles(chosen), strict=True)
    for size in sizes
]
job = Job(shown, setting, tuple(tasks))

if shown == controls.RESULTS:
    results.show(chosen, job, choices, top[1], top[2], here)
elif shown == controls.ROOFLINE:
    layers.show(chosen, job, top[1], top[2], here, layers.roofline)
    explain.code(roofline.Ceilings, roofline.works)
else:
    layers.show(chosen, job, top[1], top[2], here, layers.kinds)
    explain.code(roofline.by_kind)
