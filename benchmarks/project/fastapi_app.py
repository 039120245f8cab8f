"""The same handlers behind FastAPI, by hand."""

from pathlib import Path

import serve
import torch
from fastapi import FastAPI, Request, Response

torch.set_num_threads(1)
app = FastAPI()
model = serve.model_fn(Path(__file__).parent / "model")


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    ids = serve.input_fn((await request.body()).decode(), request.headers["content-type"])
    body = serve.output_fn(serve.predict_fn(ids, model), "application/json")
    return Response(body, media_type="application/json")
