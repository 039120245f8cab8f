"""How a handler sends a part of its answer before it returns the last one."""

from __future__ import annotations

from sagelet.worker.serving.streams import send_intermediate_predict_response

__all__ = ["send_intermediate_predict_response"]
