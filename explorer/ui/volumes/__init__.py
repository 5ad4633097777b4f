"""The drawing of a network as volumes."""
