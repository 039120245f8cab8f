"""Stands in for torchvision, as far as the scripts use it."""
