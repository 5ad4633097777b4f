"""From the nested boxes to pixels: what is visible, where it stands, how the edges run."""
