"""How endpoints are served here: numbers that a model's Environment may override, and others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.domain.hosting import Model
from sagelet.errors import InvalidRequest

PROGRAM = "SAGEMAKER_PROGRAM"
WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
TIMEOUT = "SAGEMAKER_MODEL_SERVER_TIMEOUT"
PYTHON = "SAGELET_PYTHON"
THREADS = "SAGELET_THREADS"
CONTRACT = "SAGELET_CONTRACT"

_CONTRACTS = ("sane", "strict")


@dataclass(frozen=True, slots=True)
class HostingSettings:
    """The daemon's own choices. `environ` is the machine's, of which workers see a part."""

    workers: int = 2
    threads: int = 1
    contract: str = "sane"
    waiting_limit: int = 100
    timeout_s: float = 60.0
    load_s: float = 480.0
    drain_s: float = 60.0
    stop_s: float = 5.0
    busy_s: float = 2.0
    rest_s: float = 60.0
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Container:
    """What a model's Environment says of how it is served, defaults filled in."""

    program: str
    workers: int
    timeout_s: float
    threads: int
    contract: str
    python: Path | None

    @classmethod
    def of(cls, model: Model, settings: HostingSettings) -> Container:
        """Read a model's Environment.

        Raises:
            InvalidRequest: a value is not what its name promises.
        """
        variables = model.environment
        contract = variables.get(CONTRACT, settings.contract)
        if contract not in _CONTRACTS:
            raise InvalidRequest(f"{CONTRACT} is {contract!r}; it may be sane or strict.")
        python = variables.get(PYTHON)
        return cls(
            program=variables.get(PROGRAM) or "inference.py",
            workers=_count(variables, WORKERS, settings.workers),
            timeout_s=_count(variables, TIMEOUT, 0) or settings.timeout_s,
            threads=_count(variables, THREADS, settings.threads),
            contract=contract,
            python=Path(python) if python else None,
        )


def _count(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise InvalidRequest(f"{name} is {text!r}; it has to be a number above 0.")
    return int(text)
