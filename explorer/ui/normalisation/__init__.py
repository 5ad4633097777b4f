"""The Normalisation page."""
