"""The Degradation page."""
