"""The same handlers with torch on one thread, as a TorchServe that shares its cores needs it."""

import torch
from serve import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]

torch.set_num_threads(1)
