"""The handlers that the cases run: whole modules of a user's, by name.

Several take a Python expression or statements as the request's body, so that a case is one line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

_HEAD = """
import datetime, decimal, functools, json, math
import numpy as np
import torch

def read(body):
    return body if isinstance(body, str) else bytes(body).decode()

def model_fn(model_dir):
    return None
"""


def _module(source: str) -> str:
    return textwrap.dedent(_HEAD).lstrip() + "\n" + textwrap.dedent(source).strip() + "\n"


_IDENTITY = """
import torch

def model_fn(model_dir):
    return torch.nn.Identity()
"""

SHAPES: Mapping[str, str] = {
    # The model hands back its input; all else is the default.
    "identity": textwrap.dedent(_IDENTITY).lstrip(),
    # What decoder.decode makes of the body.
    "decoded": _module("""
        from sagemaker_inference import decoder

        def transform_fn(model, data, content_type, accept):
            value = decoder.decode(data, content_type)
            if hasattr(value, "toarray"):
                return repr((value.format, str(value.dtype), value.toarray().tolist()))
            if not hasattr(value, "dtype"):
                return type(value).__name__
            return repr((str(value.dtype), value.shape, value.tolist()))
    """),
    # The body is an expression; encoder.encode writes its value.
    "encoded": _module("""
        from sagemaker_inference import encoder

        def transform_fn(model, data, content_type, accept):
            return encoder.encode(eval(read(data)), accept)
    """),
    # The body is an expression; its value goes through the default output_fn.
    "predicted": _module("""
        def input_fn(data, content_type):
            return eval(read(data))

        def predict_fn(data, model):
            return data
    """),
    # The body is an expression; its value is transform_fn's result.
    "returned": _module("""
        Pair = __import__("collections").namedtuple("Pair", "body content_type")
        circle = []
        circle.append(circle)

        def transform_fn(model, data, content_type, accept):
            return eval(read(data))
    """),
    # The body is statements that make `result`.
    "done": _module("""
        from sagemaker_inference import content_types, decoder, encoder, errors, utils
        from sagemaker_inference.errors import (
            BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError,
        )

        class OwnError(Exception):
            pass

        class TooLong(BaseInferenceToolkitError):
            def __init__(self, limit):
                super().__init__(413, f"longer than {limit}", "Too long")

        def transform_fn(model, data, content_type, accept, context):
            names = {**globals(), "context": context, "data": data, "result": "done"}
            exec(read(data), names)
            return names["result"]
    """),
    # The body is statements that send parts of the answer.
    "sent": _module("""
        from ts.handler_utils.utils import send_intermediate_predict_response

        def transform_fn(model, data, content_type, accept, context):
            def send(part):
                send_intermediate_predict_response(
                    [part], context.request_ids, "Part", 200, context
                )

            names = {"context": context, "send": send, "result": "end", "np": np, "torch": torch}
            exec(read(data), names)
            return names["result"]
    """),
    # What a handler is told.
    "told": _module("""
        def transform_fn(model, data, content_type, accept):
            return repr((data, content_type, accept))
    """),
    "told-in-three": _module("""
        def input_fn(data, content_type):
            return (data, content_type)

        def predict_fn(data, model):
            return data

        def output_fn(prediction, accept):
            return repr((prediction, accept))
    """),
    "no-module": "",
}

_FOUR = "model, data, content_type, accept"


def handlers(source: str) -> str:
    """Return a module of handlers written out; it has a model_fn unless it brings one."""
    return _module(source)


def transform(result: str, parameters: str = _FOUR) -> str:
    """Return a module whose transform_fn has these parameters and returns this expression."""
    return _module(f"def transform_fn({parameters}):\n    return {result}")


def stepwise(
    input_fn: str = "def input_fn(data, content_type):\n    return data",
    predict_fn: str = "def predict_fn(data, model):\n    return data",
    output_fn: str = "def output_fn(prediction, accept):\n    return prediction",
) -> str:
    """Return a module of input_fn, predict_fn and output_fn that pass on what they get."""
    return _module("\n\n".join((input_fn, predict_fn, output_fn)))
