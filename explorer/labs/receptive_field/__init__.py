"""How far units see: in theory, measured, and as published."""
