"""Block diagrams of several networks side by side."""
