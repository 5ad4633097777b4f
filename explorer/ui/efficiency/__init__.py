"""The Efficiency page."""
