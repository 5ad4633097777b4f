"""Small experiments, one file or room a lab: pure functions of numbers, tensors and networks, no screen.

Each lab's page shows the very functions that made its figures, so these are short and stand by themselves.
"""
