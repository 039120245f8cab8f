"""Where a job is given something else here than by the real toolkit, on purpose: how, and in what.

The ids are those of the rows in docs/reference/contract-differences.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tests.oracle.training.job_case import JobCase
from tests.oracle.training.ours import PORT
from tests.oracle.training.told import Told


@dataclass(frozen=True)
class Departure:
    """`expected` makes of what was recorded what is given here; unchanged where it has no part."""

    id: str
    expected: Callable[[JobCase, Told], Told]


def _with(told: Told, environ: Mapping[str, str]) -> Told:
    return replace(told, environ=dict(environ)) if told.environ else told


def _interface(_: JobCase, told: Told) -> Told:
    return _with(told, {name: text.replace("eth0", "lo") for name, text in told.environ.items()})


def _port(_: JobCase, told: Told) -> Told:
    if "MASTER_PORT" not in told.environ:
        return told
    return _with(told, {**told.environ, "MASTER_PORT": str(PORT)})


def _gloo(_: JobCase, told: Told) -> Told:
    return _with(told, {**told.environ, "GLOO_SOCKET_IFNAME": "lo"})


def _agent(_: JobCase, told: Told) -> Told:
    """What was recorded is torchrun's own environment, and ours that of the processes."""
    if told.argv[:1] != ("torchrun",):
        return told
    alone = told.argv[1:3] == ("--nnodes", "1")
    master = {"MASTER_ADDR": "localhost"} if alone else {}
    return replace(_with(told, {**told.environ, **master, "PWD": "/"}), path="/opt/ml/code")


def _module_in_a_folder(case: JobCase, told: Told) -> Told:
    """It is no module's name there."""
    if "setup.py" not in case.files or case.entry != "src/train.py":
        return told
    return Told(0, ("/opt/ml/code/src/train.py",), "/opt/ml/code", "/opt/ml/code", success=True)


DEPARTURES = (
    Departure("network-interface", _interface),
    Departure("master-port", _port),
    Departure("gloo-interface", _gloo),
    Departure("no-agent", _agent),
    Departure("module-in-a-folder", _module_in_a_folder),
)
"""Of what a script is given."""

WORDS = "failure-words"
"""The row on failures, whose text says more here than there."""
