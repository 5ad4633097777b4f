"""Two networks laid beside each other, block by block."""
