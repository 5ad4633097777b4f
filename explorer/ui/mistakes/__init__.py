"""The Common mistakes page."""
