"""The Timeline page: geometry (pure functions) and the component that draws it."""
