"""The effective receptive field, measured: figures and view, for the lab and the sheet."""
