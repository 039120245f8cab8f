"""What calls the handlers in a container."""

from __future__ import annotations

from sagelet.worker.serving.toolkit_handlers import Transformer

__all__ = ["Transformer"]
