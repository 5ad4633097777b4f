"""Shifted and shuffled pictures: what of the answer stays."""
