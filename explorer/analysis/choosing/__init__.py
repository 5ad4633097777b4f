"""Published weights by accuracy, cost and licence: candidates, filters, Pareto front, ranking."""
