"""The core of the CNN Architecture Explorer; it knows no screen.

Folders import one way only, each from those before it: catalogue, networks, analysis, inference, labs,
training, serving, ui.
"""

__version__ = "0.1.0"
