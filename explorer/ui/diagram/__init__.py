"""The interactive block diagram: what it shows, how it is drawn, what stands on a box."""
