"""The functions that SageMaker's model server calls: once model_fn, the others for each request."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from sagemaker_inference import content_types, encoder, errors

from text_classification.classifier import Prediction, TextClassifier

log = logging.getLogger(__name__)


def model_fn(model_dir: str) -> TextClassifier:
    """Load the model that `train.py` left in a folder."""
    log.info("loading the model, DEPLOY_ENV=%s", os.environ.get("DEPLOY_ENV"))
    # The server starts a worker for each core; more threads than that only wait for each other.
    torch.set_num_threads(1)
    return TextClassifier.load(Path(model_dir))


def input_fn(request_body: str | bytes, request_content_type: str | None) -> list[str]:
    """Read `[["a text"], ["another text"]]`."""
    media_type = (request_content_type or "").partition(";")[0].strip().lower()
    if media_type != content_types.JSON:
        raise errors.UnsupportedFormatError(request_content_type)
    try:
        return [_text(features) for features in json.loads(request_body)]
    except (TypeError, ValueError) as error:
        expected = 'the body must be JSON such as [["a text"], ["another text"]]'
        raise errors.GenericInferenceToolkitError(400, expected) from error


def predict_fn(texts: Sequence[str], model: TextClassifier) -> list[Prediction]:
    """Classify the texts."""
    return model.predict(texts)


def output_fn(predictions: Sequence[Prediction], accept: str) -> str:
    """Write what the model found; the caller knows the texts."""
    answers = [
        {"probabilities": found["probabilities"], "top_n_grams": found["top_n_grams"]}
        for found in predictions
    ]
    return encoder.encode(answers, accept)


def _text(features: object) -> str:
    match features:
        case [str(text)]:
            return text
        case _:
            raise TypeError("not a list of one text")
