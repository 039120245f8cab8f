"""The training toolkit's contract for a script: hyperparameters, arguments, entry point.

Reproduces sagemaker-training 5.1.4, where arguments reach the script exactly as they are (5.1.2
and older had a shell split them).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sagelet.errors import InvalidRequest

PREFIX = "sagemaker_"
REQUIREMENTS = "requirements.txt"
SETUP = "setup.py"
DISTRIBUTIONS = (
    "sagemaker_mpi_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_torch_distributed_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
)
RESERVED = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    }
)

_ENTRY_POINT = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


class EntryKind(Enum):
    """How an entry point is run: as a script, as a module of a package, or by /bin/sh."""

    PROGRAM = "program"
    PACKAGE = "package"
    COMMAND = "command"

    @classmethod
    def of(cls, entry_point: str, code: Path) -> EntryKind:
        """Return the kind of an entry point, by its name and what lies in the source."""
        if entry_point.endswith(".sh"):
            return cls.COMMAND
        if (code / SETUP).exists():
            return cls.PACKAGE
        return cls.PROGRAM if entry_point.endswith(".py") else cls.COMMAND


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Decoded hyperparameters: the script's own, the platform's reserved, the framework's."""

    script: Mapping[str, Any]
    reserved: Mapping[str, Any]
    framework: Mapping[str, Any]

    @classmethod
    def decode(cls, raw: Mapping[str, str]) -> Hyperparameters:
        """Decode each value as JSON; one that is not JSON stays the string that it is."""
        decoded = {key: _decode(value) for key, value in raw.items()}
        reserved = {key: value for key, value in decoded.items() if key in RESERVED}
        framework = {
            key: value
            for key, value in decoded.items()
            if key.startswith(PREFIX) and key not in RESERVED
        }
        script = {
            key: value
            for key, value in decoded.items()
            if key not in reserved and key not in framework
        }
        return cls(script, reserved, framework)


def _decode(value: str) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return the value that a string is JSON for, or the string."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def to_arguments(hyperparameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the script's arguments: sorted by key, each value as Python's `str` writes it."""
    pairs = ((_option(key), _argument(hyperparameters[key])) for key in sorted(hyperparameters))
    return tuple(item for pair in pairs for item in pair)


def _option(key: str) -> str:
    """`--key`, `-k` for a key of one character, and nothing for an empty one."""
    if not key:
        return ""
    return f"--{key}" if len(key) > 1 else f"-{key}"


def _argument(value: Any) -> str:  # noqa: ANN401 - JSON may be anything
    """Write one value; a mapping becomes `a=1,b=2`, and None an empty argument."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def command(
    kind: EntryKind,
    python: str,
    entry_point: str,
    arguments: tuple[str, ...],
    *,
    is_legacy: bool = False,
) -> str:
    """Return the command as the toolkit names it in its log and in a failure.

    `is_legacy`: as toolkits before 5.1.3 do, who have a shell run this very line.
    """
    match kind:
        case EntryKind.PROGRAM:
            options = () if is_legacy else ("--",)
            return " ".join((python, *options, entry_point, *arguments))
        case EntryKind.PACKAGE:
            return " ".join((python, "-m", module_name(entry_point), *arguments))
        case EntryKind.COMMAND:
            quoted = " ".join(map(shlex.quote, arguments))
            line = f"./{shlex.quote(entry_point)} {quoted}"
            return f'/bin/sh -c "{line}"' if is_legacy else f"/bin/sh -c {line}".rstrip()


def module_name(entry_point: str) -> str:
    """Return the module that an entry point of a package is, as `python -m` takes it."""
    return entry_point.removesuffix(".py").replace("/", ".")


def check_entry_point(name: str) -> None:
    """Refuse an entry point that is not a plain path inside the source.

    Raises:
        InvalidRequest: with a sentence for the person who named it.
    """
    if not name:
        raise InvalidRequest(
            "The training entry point is empty: set the hyperparameter sagemaker_program "
            "to the script's name, for example 'train.py'."
        )
    if not _ENTRY_POINT.fullmatch(name):
        raise InvalidRequest(
            f"The training entry point {name!r} cannot be used: a name has only letters, digits "
            "and . _ + - /, and does not start with '-' or '/'."
        )
    if any(segment in (".", "..") for segment in name.split("/")):
        raise InvalidRequest(
            f"The training entry point {name!r} cannot be used: it has '.' or '..' segments."
        )


def find_entry_point(code: Path, name: str) -> Path | None:
    """Return the entry point's file in the code folder, or None where there is none.

    Raises:
        InvalidRequest: it is a link that leads out of the code folder.
    """
    target = (code / name).resolve()
    if not target.is_relative_to(code.resolve()):
        raise InvalidRequest(
            f"The training entry point {name!r} leads out of the source directory."
        )
    return target if target.is_file() else None
