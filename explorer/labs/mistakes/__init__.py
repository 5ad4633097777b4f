"""Common mistakes made on purpose, beside the right way."""
