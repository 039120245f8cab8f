"""The toolkit's base handler, which knows no framework."""

from __future__ import annotations

from sagelet.worker.serving.toolkit_handlers import DefaultInferenceHandler

__all__ = ["DefaultInferenceHandler"]
