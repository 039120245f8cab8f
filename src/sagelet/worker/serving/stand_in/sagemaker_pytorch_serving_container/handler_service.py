"""The container's handler service."""

from __future__ import annotations

from sagelet.worker.serving.toolkit_handlers import HandlerService

__all__ = ["HandlerService"]
