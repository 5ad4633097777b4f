"""The Gradient flow page."""
