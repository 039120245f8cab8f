"""The older place of the function that sends a part of an answer."""

from __future__ import annotations

from sagelet.worker.serving.streams import send_intermediate_predict_response

__all__ = ["send_intermediate_predict_response"]
