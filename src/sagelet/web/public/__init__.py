"""What others may see of an endpoint, on purpose: its public page, its public API, a listener."""
