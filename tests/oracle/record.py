"""Records what the real container's code answers: `make oracle`.

Each case runs in a fork of its own, of an interpreter that has imported torch and the toolkit and
computed nothing. What is recorded has no date, so that a second run changes nothing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import ts
from sagemaker_pytorch_serving_container.handler_service import HandlerService
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl

from tests.oracle import torchserve
from tests.oracle.cases import CASES, Case, as_recorded
from tests.oracle.model_files import lay_out
from tests.oracle.results import Result, leaked, not_loaded

RECORDINGS = Path(__file__).with_name("recordings.json")
COMMAND = "make oracle"
_PACKAGES = ("sagemaker-pytorch-inference", "torchserve", "torch", "numpy", "scipy")


def main() -> int:
    """Run every case and write the recordings."""
    recorded = {}
    for case in CASES:
        result = _forked(case)
        recorded[case.name] = {**as_recorded(case), "result": result}
    RECORDINGS.write_text(_document(recorded), encoding="ascii")
    sys.stdout.write(f"{len(recorded)} cases\n")
    return 0


def _document(recorded: dict[str, Any]) -> str:
    """Return the recordings, a line for each case."""
    head = json.dumps({"command": COMMAND, "versions": _versions()}, indent=1)
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in recorded.items()]
    return head[:-2] + ',\n "cases": {\n' + ",\n".join(lines) + "\n }\n}\n"


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _forked(case: Case) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="oracle-")).resolve()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(case, folder, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{case.name}: the recorder itself failed")
    shutil.rmtree(folder)
    result: dict[str, Any] = json.loads(said)
    return result


def _child(case: Case, folder: Path, writer: int) -> None:
    """Run a case, say what came of it, and end."""
    code = 1
    try:
        torch.set_num_threads(1)
        result = _run(case, folder)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(result.as_json()).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - this process must end here, and not be the recorder
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(case: Case, folder: Path) -> Result:
    model = folder / "model"
    model.mkdir()
    lay_out(model, case.code, case.files)
    os.environ.update(case.environment)
    os.chdir(model)
    sys.path[:0] = [str(model / "code"), str(model)]
    handlers = HandlerService()
    metrics = MetricsCacheYamlImpl(str(Path(ts.__file__).parent / "configs" / "metrics.yaml"))
    metrics.initialize_cache()
    service = torchserve.a_service(handlers.handle, str(model), metrics)
    try:
        handlers.initialize(service.context)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return not_loaded(error, str(model))
    try:
        message = service.predict([torchserve.request(case.request_headers, case.body)])
    except BaseException:  # noqa: BLE001 - what the service lets through ends the worker
        return Result("died")
    result = torchserve.read([*service.cl_socket.sent, bytes(message)], str(model))
    return leaked(result) if case.is_uninitialised else result


if __name__ == "__main__":
    sys.exit(main())
