"""What a job's code is promised: the contracts under which SageMaker runs training code.

`ToolkitContract` is script mode: the source is unpacked, and the training toolkit runs its entry
point. `LiteralContract` is a command that runs as it is, as the drivers of SageMaker SDK v3 do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, assert_never

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import Host, LiteralProgram, ToolkitProgram
from sagelet.training.host_process import Process
from sagelet.training.layout import HostFolder, MlTree
from sagelet.training.literal_contract import LiteralContract
from sagelet.training.order import JobOrder
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.requirements import JobPackages
from sagelet.training.toolkit_contract import ToolkitContract
from sagelet.training.variables import Rendezvous
from sagelet.worker.spec import HostExit

__all__ = ["Contract", "LiteralContract", "Process", "ToolkitContract", "contract_of"]


class Contract(Protocol):
    """A contract, for one host of a job. `seen` is the host's tree as its script sees it."""

    @property
    def command(self) -> str:
        """The command, as the log and a failure name it."""
        ...

    def check(self) -> None:
        """Refuse what cannot be run, before anything is fetched; raises InvalidRequest."""
        ...

    def fetch(self, artifacts: Artifacts) -> Outcome | None:
        """Put the source where it belongs, channels being there; return the job's end if not."""
        ...

    def packages(self) -> JobPackages | None:
        """What the source asks to be installed; None for nothing."""
        ...

    def warnings(self) -> list[str]:
        """What the log says of this job before it begins, beside where it is."""
        ...

    def code(self, seen: MlTree) -> Path:
        """The folder of the user's code."""
        ...

    def process(self, seen: MlTree) -> Process:
        """How it is run."""
        ...

    def environment(self, host: Host, seen: MlTree, rendezvous: Rendezvous) -> dict[str, str]:
        """The whole environment of a host."""
        ...

    def judge(self, ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
        """Return what a script's end makes of its job; leave the files that the contract has."""
        ...


def contract_of(order: JobOrder, folder: HostFolder) -> Contract:
    """Return the contract of a job's program on a host, whose folder is given."""
    match order.program:
        case ToolkitProgram():
            return ToolkitContract(order, order.program, folder)
        case LiteralProgram():
            return LiteralContract(order, order.program, folder)
        case _:
            assert_never(order.program)
