"""What the sources say in numbers, checked."""
