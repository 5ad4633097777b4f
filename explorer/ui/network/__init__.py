"""A network in numbers, wherever it is shown: sheet, stages, layer table, several at once."""
