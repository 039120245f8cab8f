"""The toolkit's base handler, which knows no framework."""

from __future__ import annotations

from typing import Any

from sagelet.worker.serving.codecs import CODECS

_MISSING = """
Please provide a {0} implementation.
See documentation for {0} at https://sagemaker.readthedocs.io/en/stable/
"""


class DefaultInferenceHandler:
    """What there is before a framework's handler adds to it."""

    def default_model_fn(self, model_dir: str) -> Any:
        """Refuse: only a framework knows how to load a model."""
        raise NotImplementedError(_MISSING.format("model_fn"))

    def default_input_fn(self, input_data: Any, content_type: str) -> Any:
        """Read a body into an array."""
        return CODECS.decode(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any) -> Any:
        """Refuse: only a framework knows how to call a model."""
        raise NotImplementedError(_MISSING.format("predict_fn"))

    def default_output_fn(self, prediction: Any, accept: str) -> tuple[Any, str]:
        """Write a prediction, and say in which type."""
        return CODECS.encode(prediction, accept), accept
