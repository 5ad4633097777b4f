"""Start of the app: page config, navigation and the shared picker. `streamlit run app.py`."""

import streamlit as st

from explorer.ui import page

st.set_page_config(page_title=page.TITLE, page_icon="assets/logo.svg", layout="wide")
st.logo("assets/logo.svg", size="large")
page.frame().run()
