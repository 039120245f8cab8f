"""What the pages are looked at with: calls that went well and wrong, jobs that ended both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.end_to_end.documents import a_training_job
from tests.web.article import BODY
from tests.web.served import Web

JOB = "fit-words"
FAILED_JOB = "fit-words-broken"
SLUG = "kinds-of-sentences"
LONG_NAME = "anendpointthathasasmanycharactersasmaybe-withoutanypauseinthere"
METRICS = [
    {"Name": "loss", "Regex": "loss=([0-9.]+)"},
    {"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"},
]
_TRAIN = """
import json
import os
import time

for epoch in range(1, 9):
    time.sleep(float(os.environ["SM_HP_PAUSE"]))
    print(f"epoch={epoch} loss={1 / epoch:.4f} accuracy={1 - 0.6 / epoch:.4f}", flush=True)
with open(os.path.join(os.environ["SM_MODEL_DIR"], "words.json"), "w") as file:
    json.dump({}, file)
"""
_BROKEN = """
print("epoch=1 loss=1.0")
raise ValueError("the rows have three columns, not two")
"""


def show(web: Web, root: Path, *, pause_s: float = 0) -> Mapping[str, str]:
    """Make it; return the names that the paths of `tests.web.pages` have in braces.

    A job takes eight times `pause_s`: its metrics are kept by the second.
    """
    for _ in range(12):
        web.local.invoke(web.name, BODY)
    web.local.deploy(LONG_NAME, web.folder)
    web.local.wait_in_service(LONG_NAME)
    shared = json.dumps({"access": "open", "slug": SLUG}).encode()
    status, body = web.signed("PUT", f"/api/v1/publications/{web.name}", shared)
    assert status == 200, body
    web.local.sagelet("keys", "create", "a nightly report", "--endpoint", web.name)
    for name, script in ((JOB, _TRAIN), (FAILED_JOB, _BROKEN)):
        source = root / name
        source.mkdir(parents=True)
        (source / "train.py").write_text(script)
        web.local.sagemaker.create_training_job(**a_job(name, source, pause_s))
    for name in (JOB, FAILED_JOB):
        web.local.wait_ended(name)
    return {
        "endpoint": web.name,
        "long_name": LONG_NAME,
        "model": web.name,
        "slug": SLUG,
        "job": JOB,
        "failed_job": FAILED_JOB,
    }


def a_job(name: str, source: Path, pause_s: float) -> dict[str, Any]:
    """Return the parameters of a training job that prints metrics."""
    job = a_training_job(name, source, HyperParameters={"pause": str(pause_s)})
    job["AlgorithmSpecification"]["MetricDefinitions"] = METRICS
    return job
