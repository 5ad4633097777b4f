"""Who shares a mean with whom, and what that does, to tensors and inside networks."""
