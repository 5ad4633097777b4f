"""The graph folded into what a reader knows: stages, blocks, skips, names, the key idea."""
