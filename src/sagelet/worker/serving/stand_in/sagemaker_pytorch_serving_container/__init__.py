"""Stands in for SageMaker's serving container for PyTorch where that is not installed."""
