"""The base of a container's handler services."""

from __future__ import annotations

from sagelet.worker.serving.toolkit_handlers import DefaultHandlerService

__all__ = ["DefaultHandlerService"]
