"""What TorchServe says to its workers."""
