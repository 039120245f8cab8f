"""The names that metrics have."""
