"""The visitor's picture: where it comes from, and whose weights look at it."""
