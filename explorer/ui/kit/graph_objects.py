"""Plotly's figures, as `go`, once pandas is whole.

Plotly asks sys.modules for pandas at each value it is given and takes what is there. While another visit's
thread still imports pandas, for a table say, that is a module without Series, and the figure fails. Whoever
imports pandas as well waits for that thread.
"""

import pandas  # noqa: F401
import plotly.graph_objects as go

__all__ = ["go"]
