"""The same handlers behind FastAPI, by hand: the peer."""

import os
from pathlib import Path

import serve
from fastapi import FastAPI, Request, Response

app = FastAPI()
model = serve.model_fn(os.environ.get("MODEL_DIR", Path(__file__).parent / "model"))


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    ids = serve.input_fn((await request.body()).decode(), request.headers["content-type"])
    body = serve.output_fn(serve.predict_fn(ids, model), "application/json")
    return Response(body, media_type="application/json")
