"""Start of the app: page config, navigation and the shared picker. `streamlit run app.py`."""

import streamlit as st

from explorer.ui.frame import page

page.configure()
st.logo(str(page.LOGO), size="large")
page.run(page.frame())
