"""Functions that handlers borrow from TorchServe."""
