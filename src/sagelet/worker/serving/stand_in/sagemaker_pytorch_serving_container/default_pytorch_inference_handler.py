"""The container's default handlers for PyTorch."""

from __future__ import annotations

from sagelet.worker.serving.defaults import ModelLoadError
from sagelet.worker.serving.toolkit_handlers import DefaultPytorchInferenceHandler

__all__ = ["DefaultPytorchInferenceHandler", "ModelLoadError"]
