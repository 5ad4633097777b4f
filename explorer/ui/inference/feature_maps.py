"""`explorer.inference.feature_maps`, under its name of before."""

from explorer.inference.feature_maps import ACROSS, PER_PAGE, Grid, colours, grid

__all__ = ["ACROSS", "PER_PAGE", "Grid", "colours", "grid"]
