"""The core of the CNN Architecture Explorer; it knows no screen.

Folders import one way only: catalogue <- networks <- analysis <- inference <- labs <- training <- serving <- ui.
"""
