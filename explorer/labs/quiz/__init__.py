"""Answers of the quiz, computed, and what a wrong one comes from."""
