"""Deploying, invoking and editing, beside FastAPI by hand with the same handlers."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType

import torch
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.measuring import Bench, Row, wait_until
from sagelet.environments import credentials

BODY = b'["this film was surprisingly good and the acting held up well"]'
CONTENT = {"Content-Type": "application/json", "Accept": "application/json"}
REQUESTS = 1500
ROUNDS = 5
DEPLOYS = 7
EDITS = 15


def measure(bench: Bench) -> list[Row]:
    """Return the serving lines."""
    serve = _handlers(bench)
    folder = bench.project / "model"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(serve.TextCNN().state_dict(), folder / "model.pth")
    model = serve.model_fn(folder)
    rows = [_deploys(bench, model.load_s)]
    with _fastapi(bench) as port:
        rows += _invocations(bench, serve, model, port)
    return [*rows, _edits(bench)]


def _handlers(bench: Bench) -> ModuleType:
    spec = importlib.util.spec_from_file_location("serve", bench.project / "serve.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _deploys(bench: Bench, load_s: float) -> Row:
    """Time CreateEndpoint to InService, as DescribeEndpoint's own times tell."""
    took = []
    for _ in range(DEPLOYS):
        bench.sagelet("deploy", "-q")
        described = json.loads(bench.sagelet("describe", "endpoint/bench", "--json"))
        took.append(_moment(described["LastModifiedTime"]) - _moment(described["CreationTime"]))
        bench.sagelet("rm", "endpoint/bench", "-y", "-q")
    bench.sagelet("deploy", "-q")
    median = statistics.median(took)
    return Row(
        "first deploy, warm zygote, CreateEndpoint to InService, beyond the model's own load",
        f"{median - load_s:.2f} s (the model loads in {load_s * 1000:.0f} ms)",
        "below 1 s",
    )


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _invocations(bench: Bench, serve: ModuleType, model: object, port: int) -> list[Row]:
    def handlers() -> None:
        serve.output_fn(serve.predict_fn(serve.input_fn(BODY.decode(), ""), model), "")

    ours = _poster(
        int(bench.info.address.rpartition(":")[2]), "/endpoints/bench/invocations", _signed(bench)
    )
    peer = _poster(port, "/invocations", CONTENT)
    medians: dict[str, list[float]] = {"handlers": [], "ours": [], "peer": []}
    for _ in range(ROUNDS):
        for name, call in (("handlers", handlers), ("ours", ours), ("peer", peer)):
            medians[name].append(_p50(call))
    handlers_s, ours_s, peer_s = (statistics.median(found) for found in medians.values())
    ratio = statistics.median(a / b for a, b in zip(medians["ours"], medians["peer"], strict=True))
    return [
        Row(
            "one invocation beyond the handlers' own time, p50, one client",
            f"{1000 * (ours_s - handlers_s):.2f} ms (handlers {1000 * handlers_s:.2f} ms)",
            "below 1.5 ms",
        ),
        Row(
            "p50 of an invocation, signature verified, over FastAPI on uvicorn by hand",
            f"{ratio:.2f} ({1000 * ours_s:.2f} ms to {1000 * peer_s:.2f} ms)",
            "",
        ),
    ]


def _signed(bench: Bench) -> Mapping[str, str]:
    """Sign the request once: it is the same each time, and a signature is good for five minutes."""
    key = credentials.load_or_create(bench.home)
    request = AWSRequest(
        "POST", f"{bench.info.address}/endpoints/bench/invocations", headers=CONTENT, data=BODY
    )
    credential = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credential, "sagemaker", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def _poster(port: int, path: str, headers: Mapping[str, str]) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def post() -> None:
        connection.request("POST", path, BODY, dict(headers))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body!r}")

    post()
    return post


def _p50(call: Callable[[], None]) -> float:
    took = []
    for _ in range(REQUESTS // ROUNDS):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


@contextmanager
def _fastapi(bench: Bench) -> Iterator[int]:
    log = bench.project / "fastapi.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app:app", "--port", "0", "--no-access-log"],
            cwd=bench.project,
            env=os.environ | {"MODEL_DIR": str(bench.project / "model")},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "running on http" in log.read_text())
        yield int(log.read_text().partition("http://127.0.0.1:")[2].split()[0])
    finally:
        process.terminate()
        process.wait()


def _edits(bench: Bench) -> Row:
    """Time from saving an edited output_fn to the first answer that shows it."""
    file = bench.project / "serve.py"
    original = file.read_text()
    headers = _signed(bench)
    connection = http.client.HTTPConnection("127.0.0.1", int(bench.info.address.rpartition(":")[2]))
    took = []
    for number in range(EDITS):
        mark = f'"edit {number}"'
        edited = original.replace("json.dumps(probabilities.tolist())", f"json.dumps({mark})")
        wait_until(lambda: _quiet(bench))
        started = time.perf_counter()
        file.write_text(edited)
        while True:
            connection.request("POST", "/endpoints/bench/invocations", BODY, dict(headers))
            if connection.getresponse().read() == mark.encode():
                break
        took.append(time.perf_counter() - started)
    return Row(
        "edit to changed answer, model kept, p50",
        f"{1000 * statistics.median(took):.0f} ms",
        "below 150 ms",
    )


def _quiet(bench: Bench) -> bool:
    """Say whether the last edit has had time to settle."""
    return time.time() - Path(bench.project / "serve.py").stat().st_mtime > 0.2
