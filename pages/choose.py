"""Choose: limits in, a ranking with its reasons out, and which limit keeps the others away."""

import streamlit as st

from explorer.ui import choose_controls as controls
from explorer.ui import choose_view as view
from explorer.ui import efficiency_data, inference_answer, page

here = page.begin()
inference_answer.wait_for_imports(st.container())
why = efficiency_data.why_no_tables()
data = efficiency_data.here()
if not data.rows:
    st.info(f"Only torchvision's weights can be chosen from. {why}".strip(), icon=":material/cloud_off:")
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
