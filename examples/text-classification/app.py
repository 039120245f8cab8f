"""The same model behind an API of one's own, to compare with `deploy/sagemaker/serve.py`.

    uvicorn app:app
    curl 127.0.0.1:8000/predict --json '{"inputs": [{"text": "The Wimbledon tournament starts!"}]}'

What SageMaker adds to such a page is the rest: deployment without a gap, scaling, logs, access.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from pydantic import BaseModel

from text_classification.classifier import Prediction, TextClassifier
from text_classification.experiments import EXPERIMENTS_DIR, LATEST, find


class Text(BaseModel):
    """One text."""

    text: str


class PredictRequest(BaseModel):
    """The texts to classify."""

    inputs: list[Text]


@asynccontextmanager
async def _model_loaded(app: FastAPI) -> AsyncIterator[None]:
    app.state.classifier = TextClassifier.load(find(LATEST, EXPERIMENTS_DIR))
    yield


app = FastAPI(title="text-classification", lifespan=_model_loaded)


@app.get("/")
def health() -> dict[str, str]:
    """Answer that the model is loaded."""
    return {"status": "OK"}


@app.post("/predict", response_model=None)
def predict(body: PredictRequest, request: Request) -> list[Prediction]:
    """Classify the texts."""
    classifier: TextClassifier = request.app.state.classifier
    return classifier.predict([each.text for each in body.inputs])
