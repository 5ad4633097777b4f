"""The drawing of the blocks of all families."""
