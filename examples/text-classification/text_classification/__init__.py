"""A text classifier that shows the phrases behind its answer."""
