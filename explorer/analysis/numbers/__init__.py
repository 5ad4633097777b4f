"""A network summed up: stats sheet, memory, roofline, formulas, values by layer."""
