"""Where a container's files are and what its variables say, for handlers that ask."""

from __future__ import annotations

import os
from typing import Any

from sagelet.worker.serving.media_types import JSON
from sagelet.worker.serving.stand_in.sagemaker_inference import parameters

DEFAULT_MODULE_NAME = "inference.py"
DEFAULT_MODEL_SERVER_TIMEOUT = "60"
DEFAULT_HTTP_PORT = "8080"

_BASE_DIR = "/opt/ml"


class Environment:
    """The variables at the moment when it is made."""

    def __init__(self) -> None:
        """Read them."""
        read = os.environ.get
        program = read(parameters.USER_PROGRAM_ENV, DEFAULT_MODULE_NAME)
        self.module_name = program[:-3] if program.endswith(".py") else program
        self.model_server_timeout = int(
            read(parameters.MODEL_SERVER_TIMEOUT_ENV, DEFAULT_MODEL_SERVER_TIMEOUT)
        )
        self.model_server_workers = read(parameters.MODEL_SERVER_WORKERS_ENV)
        self.default_accept = read(parameters.DEFAULT_INVOCATIONS_ACCEPT_ENV, JSON)
        self.inference_http_port = read(parameters.BIND_TO_PORT_ENV, DEFAULT_HTTP_PORT)
        self.management_http_port = self.inference_http_port
        self.safe_port_range = read(parameters.SAFE_PORT_RANGE_ENV)


def __getattr__(name: str) -> Any:
    """Return `base_dir`, `model_dir` or `code_dir` as the variables have it now."""
    base = os.environ.get(parameters.BASE_PATH_ENV, _BASE_DIR)
    kind = "models" if os.environ.get(parameters.MULTI_MODEL_ENV) == "true" else "model"
    model = f"{base}/{kind}"
    folders = {"base_dir": base, "model_dir": model, "code_dir": f"{model}/code"}
    if name not in folders:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return folders[name]
