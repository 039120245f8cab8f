"""app.py, the same model behind a page of FastAPI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from text_classification.classifier import TextClassifier


async def test_the_page_answers_as_the_classifier_does(
    load_script: Callable[[str], ModuleType],
    model_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "latest").symlink_to(model_dir)
    page = load_script("app.py")
    monkeypatch.setattr(page, "EXPERIMENTS_DIR", tmp_path)
    transport = httpx.ASGITransport(app=page.app)
    async with (
        page.app.router.lifespan_context(page.app),
        httpx.AsyncClient(transport=transport, base_url="http://page") as client,
    ):
        health = await client.get("/")
        answer = await client.post("/predict", json={"inputs": [{"text": "A tennis match!"}]})
        refused = await client.post("/predict", json=[["A tennis match!"]])
    assert health.json() == {"status": "OK"}
    assert answer.json() == TextClassifier.load(model_dir).predict(["A tennis match!"])
    assert refused.status_code == 422
