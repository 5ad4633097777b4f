"""Choose: limits in, a ranking with its reasons out, and which limit keeps the others away."""

import streamlit as st

from explorer.ui.choose import controls, view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.network import candidates as efficiency_data

here = page.begin()
wait_for_imports(st.container())
data = efficiency_data.here()
if not data.rows:
    st.info("Only torchvision's weights can be chosen from; see the end of the page.", icon=":material/info:")
candidates = view.loadable(data)
asked = controls.controls(data)
found = view.show(candidates, asked)
ranking, why_not, rules = st.tabs(
    ["Ranking", "Why not …?", "Rules of thumb"], key="ctab", bind="query-params"
)
with ranking:
    view.ranking(found, asked)
with why_not:
    view.why_not(candidates, found, asked)
if rules.open:
    with rules:
        view.rules(candidates, found, asked)
view.remarks(data)
