"""Stands in for SageMaker's inference toolkit where that is not installed."""
