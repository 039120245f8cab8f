"""What became of a case: what its script was given, and what the toolkit left behind."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PYTHON = "PYTHON"
"""Stands for the interpreter's path."""

_KEPT = re.compile(
    r"(SM|SAGEMAKER|MASTER|NCCL|GLOO|OMPI)_.*|CURRENT_HOST|PWD|TRAINING_JOB_(NAME|ARN)|AWS_REGION|"
    r"MINE.*"
)


@dataclass(frozen=True)
class Told:
    """`argv`, `cwd`, `path` (sys.path[0]) and `environ` are the script's, where it told them.

    `failure` is the text of /opt/ml/output/failure, and `exit_code` the container's.
    """

    exit_code: int
    argv: tuple[str, ...] = ()
    cwd: str = ""
    path: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None
    success: bool = False

    @classmethod
    def read(cls, ml: Path, exit_code: int, python: str) -> Told:
        """Read what a tree holds when the toolkit has ended."""
        probe, failure = ml / "output" / "data" / "probe.json", ml / "output" / "failure"
        told = json.loads(probe.read_text()) if probe.exists() else {}
        text = failure.read_text() if failure.exists() else None
        return cls(
            exit_code=exit_code,
            argv=tuple(told.get("argv", ())),
            cwd=told.get("cwd", ""),
            path=told.get("path", ""),
            environ=steady(told.get("environ", {})),
            failure=None if text is None else _steady_failure(text.replace(python, PYTHON)),
            success=(ml / "output" / "success").exists(),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what a recording holds."""
        told: dict[str, Any] = {"exit": self.exit_code, "success": self.success}
        if self.failure is not None:
            told["failure"] = self.failure
        if self.argv:
            told |= {"argv": list(self.argv), "cwd": self.cwd, "path": self.path}
            told["environ"] = dict(self.environ)
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Told:
        """Read a recording."""
        return cls(
            exit_code=told["exit"],
            argv=tuple(told.get("argv", ())),
            cwd=told.get("cwd", ""),
            path=told.get("path", ""),
            environ=told.get("environ", {}),
            failure=told.get("failure"),
            success=told["success"],
        )


def steady(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the contract is about, without what is the machine's own."""
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    for name in ("SM_NUM_CPUS", "SM_NUM_GPUS", "SM_NUM_NEURONS", "SM_DLC_TORCH_VERSION"):
        if name in kept:
            kept[name] = "N"
    kept |= _training_env(kept.pop("SM_TRAINING_ENV", None))
    if "PYTHONPATH" in environ:
        kept["PYTHONPATH"] = environ["PYTHONPATH"].split(":")[0]
    return kept


def _training_env(text: str | None) -> dict[str, str]:
    """Return each of the facts in SM_TRAINING_ENV, and whether it is written as the rest is."""
    if text is None:
        return {}
    facts = json.loads(text)
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    of_the_machine = ("num_cpus", "num_gpus", "num_neurons")
    told = {
        f"SM_TRAINING_ENV.{name}": json.dumps(value, sort_keys=True)
        for name, value in facts.items()
        if name not in of_the_machine
    }
    return {"SM_TRAINING_ENV": "as the rest" if text == canonical else text, **told}


def _steady_failure(text: str) -> str:
    """Return a failure without its message: how much of it there is depends on how it was read."""
    return re.sub(r'(?s)(?<=ErrorMessage ")(?!").+?(?="\n(?:ExtraInfo|Command))', "...", text)


def compact(recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return recordings whose environments name only what differs from the first one's."""
    first: Mapping[str, str] = next(iter(recorded.values()))["environ"]
    compacted = {}
    for number, (name, told) in enumerate(recorded.items()):
        entry = dict(told)
        if number and "environ" in told:
            environ = told["environ"]
            changed = {key: text for key, text in environ.items() if first.get(key) != text}
            entry["environ"] = changed | {key: None for key in first if key not in environ}
        compacted[name] = entry
    return compacted


def whole(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return recordings with their whole environments again."""
    first: Mapping[str, str] = next(iter(cases.values()))["environ"]
    found = {}
    for number, (name, told) in enumerate(cases.items()):
        entry = dict(told)
        if number and "environ" in told:
            both = {**first, **told["environ"]}
            entry["environ"] = {key: text for key, text in both.items() if text is not None}
        found[name] = entry
    return found
