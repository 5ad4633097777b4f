"""What every unit sees of the picture: a rule for each operation, carried through the graph."""
