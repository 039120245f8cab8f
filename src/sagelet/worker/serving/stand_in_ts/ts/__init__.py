"""Stands in for TorchServe where that is not installed."""

__version__ = "0.12.0"
