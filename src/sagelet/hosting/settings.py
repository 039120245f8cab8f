"""How endpoints are served here: numbers that a model's Environment may override, and others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.domain.account import KeysOf, no_keys
from sagelet.domain.hosting import Model
from sagelet.domain.variables import (
    ATTACH,
    CONTRACT,
    MAX_BATCH,
    PARK_AFTER,
    PYTHON,
    SAMPLE,
    THREADS,
)
from sagelet.hosting.output import KEPT_BYTES
from sagelet.hosting.variables import Variables
from sagelet.worker.spec import CONTAINER_LIMIT_BYTES

PROGRAM = "SAGEMAKER_PROGRAM"
WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
TIMEOUT = "SAGEMAKER_MODEL_SERVER_TIMEOUT"
TIMEOUT_SECONDS = "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS"
TORCHSERVE_TIMEOUT = "SAGEMAKER_TS_RESPONSE_TIMEOUT"
TORCHSERVE_WORKERS = (
    "SAGEMAKER_TS_MAX_WORKERS",
    "SAGEMAKER_TS_MIN_WORKERS",
    "TS_DEFAULT_WORKERS_PER_MODEL",
)
TORCHSERVE_DEFAULT_TIMEOUT = "TS_DEFAULT_RESPONSE_TIMEOUT"
TORCHSERVE_QUEUE = "TS_JOB_QUEUE_SIZE"
TORCHSERVE_BATCHES = ("SAGEMAKER_TS_BATCH_SIZE", "SAGEMAKER_TS_MAX_BATCH_DELAY")
MAX_PAYLOAD_MB = "SAGEMAKER_MAX_PAYLOAD_IN_MB"
MAX_REQUEST = "TS_MAX_REQUEST_SIZE"
MAX_RESPONSE = "TS_MAX_RESPONSE_SIZE"
PORT = "SAGEMAKER_BIND_TO_PORT"
MULTI_MODEL = "SAGEMAKER_MULTI_MODEL"
MAX_MODELS = "SAGELET_MAX_MODELS"
LOG_MB = "SAGELET_LOG_MB"

OURS = (PYTHON, THREADS, CONTRACT, MAX_BATCH, SAMPLE, PARK_AFTER, ATTACH, MAX_MODELS, LOG_MB)
"""What tells the daemon how to serve, and no worker; a container on AWS would not have them."""

AUTO = "auto"
STRICT = "strict"
CONTRACTS = ("sane", STRICT)
_MAX_BATCH = 32
_MAX_MODELS = 8
_MB = 2**20


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class HostingSettings:
    """The daemon's own choices. `environ` is the machine's, of which workers see a part.

    `workers` is how many serve a variant unless its model says: one a core, as the container has.
    Times are in seconds; `stream_s` is for all of a streamed answer, `park_after_s` is how long an
    endpoint is idle before its workers are stopped (None: never), and `live_workers` is how many
    may live before idle ones are parked. `log_bytes` is how much is kept of what a variant's
    workers print; `keys_of` tells the variables with the credentials of an endpoint's handlers, by
    its ULID and what its model's Environment says.
    """

    workers: int = field(default_factory=usable_cores)
    threads: int = 1
    contract: str = "sane"
    waiting_limit: int = 100
    timeout_s: float = 60.0
    load_s: float = 480.0
    drain_s: float = 60.0
    stop_s: float = 5.0
    busy_s: float = 2.0
    rest_s: float = 60.0
    stream_s: float = 480.0
    park_after_s: float | None = None
    live_workers: int = 64
    log_bytes: int = KEPT_BYTES
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    keys_of: KeysOf = no_keys


@dataclass(frozen=True, slots=True)
class Container:
    """What a model's Environment says of how it is served, defaults filled in.

    `max_batch` bounds the requests that one predict_batch_fn gets; `sample` is a payload that new
    code has to answer before it serves; `port` is where a container's own HTTP face is opened;
    `attach` is the socket of a worker that a person runs in the foreground; `max_models` is how
    many models a container of several keeps loaded, each in workers of its own.
    """

    program: str
    workers: int
    timeout_s: float
    waiting_limit: int
    threads: int = 1
    contract: str = "sane"
    python: Path | None = None
    max_batch: int = _MAX_BATCH
    sample: Path | None = None
    park_after_s: float | None = None
    port: int | None = None
    multi_model: bool = False
    max_models: int = _MAX_MODELS
    attach: Path | None = None
    max_request_bytes: int | None = None
    max_response_bytes: int | None = None
    log_bytes: int = KEPT_BYTES

    @classmethod
    def of(cls, model: Model, settings: HostingSettings) -> Container:
        """Read a model's Environment (the inference contract, environment variables).

        Raises:
            InvalidRequest: a value is not what its name promises.
        """
        said = Variables(model.environment)
        contract = said.one_of(CONTRACT, CONTRACTS) or settings.contract
        limit = CONTAINER_LIMIT_BYTES if contract == STRICT else None
        return cls(
            program=said.text(PROGRAM) or "inference.py",
            workers=_workers(said, settings, is_multi=_is_multi(model, said)),
            timeout_s=_timeout_s(said) or settings.timeout_s,
            waiting_limit=said.count(TORCHSERVE_QUEUE) or settings.waiting_limit,
            threads=said.count(THREADS) or settings.threads,
            contract=contract,
            python=said.path(PYTHON),
            max_batch=said.count(MAX_BATCH) or _MAX_BATCH,
            sample=said.path(SAMPLE),
            park_after_s=said.count(PARK_AFTER) or settings.park_after_s,
            port=said.port(PORT),
            multi_model=_is_multi(model, said),
            max_models=said.count(MAX_MODELS) or _MAX_MODELS,
            attach=said.path(ATTACH),
            max_request_bytes=_max_request_bytes(said) or limit,
            max_response_bytes=said.count(MAX_RESPONSE) or limit,
            log_bytes=said.count(LOG_MB) * _MB or settings.log_bytes,
        )


def _is_multi(model: Model, said: Variables) -> bool:
    return model.is_multi or said.text(MULTI_MODEL) == "true"


def _workers(said: Variables, settings: HostingSettings, *, is_multi: bool) -> int:
    """Return the number of workers: a container of several models has one for each of them."""
    torchserve = max(said.count(name) for name in TORCHSERVE_WORKERS)
    # Setting any of TorchServe's numbers makes the toolkit ask for one worker unless told.
    one = any([said.count(name) for name in (*TORCHSERVE_BATCHES, TORCHSERVE_TIMEOUT)])
    if said.text(WORKERS) == AUTO:
        return usable_cores()
    return said.count(WORKERS) or torchserve or (1 if one or is_multi else settings.workers)


def _timeout_s(said: Variables) -> int:
    """Return the first of the time limits that is set, all in seconds; 0 for none."""
    names = (TORCHSERVE_TIMEOUT, TORCHSERVE_DEFAULT_TIMEOUT, TIMEOUT_SECONDS, TIMEOUT)
    return next((said.count(name) for name in names if said.count(name)), 0)


def _max_request_bytes(said: Variables) -> int:
    return said.count(MAX_REQUEST) or said.count(MAX_PAYLOAD_MB) * _MB
