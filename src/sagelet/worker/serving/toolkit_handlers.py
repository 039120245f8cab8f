"""The classes of SageMaker's toolkits that a module of handlers may call or extend.

The default handlers work. What runs a container (handler service, transformer) can be made and
extended, as modules that define one do on import; Sagelet calls the functions of a module itself,
so it refuses to run.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sagelet.worker.serving import media_types
from sagelet.worker.serving.codecs import CODECS
from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError

_MISSING = """
Please provide a {0} implementation.
See documentation for {0} at https://sagemaker.readthedocs.io/en/stable/
"""
_ONLY_HANDLERS = (
    "Sagelet calls the functions of your module itself (model_fn, input_fn, predict_fn, output_fn, "
    "transform_fn); a handler service of your own is not run."
)


class DefaultInferenceHandler:
    """What there is before a framework's handler adds to it. `context` is passed and not read."""

    def default_model_fn(self, model_dir: str, context: object = None) -> Any:
        """Refuse: only a framework knows how to load a model."""
        del model_dir, context
        raise NotImplementedError(_MISSING.format("model_fn"))

    def default_input_fn(self, input_data: Any, content_type: str, context: object = None) -> Any:
        """Read a body into an array."""
        del context
        return CODECS.decode(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any, context: object = None) -> Any:
        """Refuse: only a framework knows how to call a model."""
        del data, model, context
        raise NotImplementedError(_MISSING.format("predict_fn"))

    def default_output_fn(self, prediction: Any, accept: str, context: object = None) -> Any:
        """Write a prediction in the first accepted type that there is an encoder for; name it.

        Raises:
            UnsupportedFormatError: there is none.
        """
        del context
        for content_type in accept.replace(" ", "").split(","):
            if content_type in CODECS.encoders:
                return CODECS.encode(prediction, content_type), content_type
        raise UnsupportedFormatError(accept)


class DefaultPytorchInferenceHandler(DefaultInferenceHandler):
    """The default handlers for PyTorch; types are compared as in the container."""

    VALID_CONTENT_TYPES = (media_types.JSON, media_types.NPY)

    def __init__(self) -> None:
        """Import nothing yet."""
        self._defaults = PyTorchDefaults(strict=True)

    def default_model_fn(self, model_dir: str, context: object = None) -> Any:
        """Load the one TorchScript file in a folder."""
        del context
        return self._defaults.model_fn(model_dir)

    def default_input_fn(self, input_data: Any, content_type: str, context: object = None) -> Any:
        """Read a body into a tensor."""
        del context
        return self._defaults.input_fn(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any, context: object = None) -> Any:
        """Call the model on a tensor, without gradients."""
        del context
        return self._defaults.predict_fn(data, model)

    def default_output_fn(self, prediction: Any, accept: str, context: object = None) -> Any:
        """Write a prediction in the first accepted type that there is an encoder for."""
        del context
        return self._defaults.output_fn(prediction, accept)


class Transformer:
    """What calls the handlers in a container."""

    def __init__(self, default_inference_handler: Any = None) -> None:
        """Keep the handler that fills a module's gaps."""
        self._default_inference_handler = default_inference_handler or DefaultInferenceHandler()

    def validate_and_initialize(self, model_dir: str = "", context: Any = None) -> NoReturn:
        """Refuse to load a model."""
        del model_dir, context
        raise NotImplementedError(_ONLY_HANDLERS)

    def transform(self, data: Any, context: Any) -> NoReturn:
        """Refuse to answer a request."""
        del data, context
        raise NotImplementedError(_ONLY_HANDLERS)


class DefaultHandlerService:
    """What a container's model server calls."""

    def __init__(self, transformer: Any = None) -> None:
        """Keep the transformer."""
        self._service = transformer or Transformer()

    def initialize(self, context: Any) -> None:
        """Load the model by the transformer."""
        model_dir = context.system_properties.get("model_dir")
        self._service.validate_and_initialize(model_dir=model_dir, context=context)

    def handle(self, data: Any, context: Any) -> Any:
        """Answer a request by the transformer."""
        return self._service.transform(data, context)


class HandlerService(DefaultHandlerService):
    """A handler service with the default handlers for PyTorch."""

    def __init__(self) -> None:
        """Make a transformer with them."""
        super().__init__(transformer=Transformer(DefaultPytorchInferenceHandler()))
