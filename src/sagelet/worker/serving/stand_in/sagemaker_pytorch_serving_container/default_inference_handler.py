"""The name that older containers have for the default handlers."""

from __future__ import annotations

from sagelet.worker.serving.defaults import ModelLoadError
from sagelet.worker.serving.toolkit_handlers import DefaultPytorchInferenceHandler

__all__ = ["DefaultPytorchInferenceHandler", "ModelLoadError"]
