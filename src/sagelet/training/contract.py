"""What a job's script is promised: one of the contracts under which SageMaker runs training code.

`ToolkitContract` is script mode: the source is unpacked, and the training toolkit runs its entry
point.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import Host, SecondaryStatus, ToolkitProgram
from sagelet.errors import InvalidRequest, NotSupported, SageletError
from sagelet.training import inputs, outcome, toolkit
from sagelet.training.layout import MlTree
from sagelet.training.machine import look_around
from sagelet.training.order import JobOrder
from sagelet.training.outcome import Outcome
from sagelet.training.variables import Rendezvous, environment


@dataclass(frozen=True, slots=True)
class Process:
    """How a host's process is run: the fields of HostOrder that a contract decides."""

    argv: tuple[str, ...]
    cwd: str
    way: str = "script"


class Contract(Protocol):
    """A contract, for one job. `tree` is a host's tree on disk, `seen` as its script sees it."""

    @property
    def command(self) -> str:
        """The command, as the log and a failure name it."""
        ...

    def check(self) -> None:
        """Refuse what cannot be run, before anything is fetched; raises InvalidRequest."""
        ...

    def fetch(self, artifacts: Artifacts, tree: MlTree) -> Outcome | None:
        """Put the source where it belongs, channels being there; return the job's end if not."""
        ...

    def warnings(self, tree: MlTree) -> list[str]:
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


def contract_of(order: JobOrder) -> Contract:
    """Return the contract of a job's program.

    Raises:
        NotSupported: there is none for it.
    """
    if isinstance(order.program, ToolkitProgram):
        return ToolkitContract(order, order.program)
    raise NotSupported("A job with a ContainerEntrypoint is not served.")


class ToolkitContract:
    """Script mode, as sagemaker-training 5.1.4 has it (contract T of the training chapter)."""

    def __init__(self, order: JobOrder, program: ToolkitProgram) -> None:
        """Take the job; nothing is read before it is asked for."""
        self._order = order
        self._program = program
        self._arguments = toolkit.to_arguments(
            toolkit.Hyperparameters.decode(order.hyperparameters).script
        )

    @property
    def command(self) -> str:
        """The script's command, as the toolkit words it."""
        return toolkit.command(
            self._order.places.python, self._program.entry_point, self._arguments
        )

    def check(self) -> None:
        """Refuse an entry point that is no plain path."""
        toolkit.check_entry_point(self._program.entry_point)

    def fetch(self, artifacts: Artifacts, tree: MlTree) -> Outcome | None:
        """Unpack the source, find the script in it, and make a command executable."""
        try:
            inputs.fetch_source(artifacts, self._program.source_uri, tree.code)
        except (SageletError, OSError) as error:
            return outcome.download_failed(error, self._order, self._program.source_uri)
        name = self._program.entry_point
        try:
            script = toolkit.find_entry_point(tree.code, name)
        except InvalidRequest as error:
            return Outcome(SecondaryStatus.FAILED, outcome.algorithm_error(str(error)))
        if script is None:
            return outcome.missing_entry_point(self._program, self.command, tree.code)
        if toolkit.EntryKind.of(name) is toolkit.EntryKind.COMMAND:
            script.chmod(0o755)
        return None

    def warnings(self, tree: MlTree) -> list[str]:
        """What the cloud would do with this job and this release does not."""
        found = []
        if (tree.code / toolkit.REQUIREMENTS).is_file():
            found.append(
                f"WARNING: {toolkit.REQUIREMENTS} was not installed: this release runs the script "
                f"with what {self._order.places.python} has"
            )
        found += [
            f"WARNING: {name} is set, and this release runs one process on each host"
            for name in toolkit.DISTRIBUTIONS
            if self._order.hyperparameters.get(name) == "true"
        ]
        return found

    def code(self, seen: MlTree) -> Path:
        """/opt/ml/code."""
        return seen.code

    def process(self, seen: MlTree) -> Process:
        """The script with its arguments, in the source."""
        return Process((self._program.entry_point, *self._arguments), str(seen.code))

    def environment(self, host: Host, seen: MlTree, rendezvous: Rendezvous) -> dict[str, str]:
        """The platform's variables and the toolkit's."""
        return environment(
            self._order,
            self._program,
            host,
            seen=seen,
            machine=look_around(Path(self._order.places.python)),
            rendezvous=rendezvous,
        )
