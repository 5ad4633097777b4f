"""The Measure here page."""
