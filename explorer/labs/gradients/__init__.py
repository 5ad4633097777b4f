"""How far the gradient of the loss reaches, and what lets it through."""
