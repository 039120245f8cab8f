"""The same handlers behind BentoML."""

import os
from pathlib import Path

import bentoml
import serve
import torch


@bentoml.service(
    workers=int(os.environ["BENCH_WORKERS"]),
    logging={"access": {"enabled": False}},
    metrics={"enabled": True},
)
class Handlers:
    def __init__(self):
        torch.set_num_threads(1)
        self.model = serve.model_fn(Path(__file__).parent / "model")

    @bentoml.api(route="/invocations")
    def invocations(self, texts: list[str], /) -> list[list[float]]:
        return serve.predict_fn(serve.ids_of(texts), self.model).tolist()
