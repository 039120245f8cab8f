"""A command that runs as it is: ContainerEntrypoint and ContainerArguments (contract V3).

SageMaker SDK v3's ModelTrainer asks for `/bin/bash -c "… sm_train.sh"`, and sends the drivers that
do the rest along as a channel. So what is here is what a container has before any toolkit: the
tree, the platform's variables, and `python3` and `pip` on PATH.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import Host, LiteralProgram, SecondaryStatus
from sagelet.errors import ChildFailed
from sagelet.supervision.inherited import NO_CREDENTIALS, package_sources
from sagelet.supervision.interpreters import Installed, Interpreters
from sagelet.supervision.wanted_packages import INTERPRETERS
from sagelet.training import outcome, own_interpreter
from sagelet.training.host_process import Process
from sagelet.training.layout import HostFolder, MlTree
from sagelet.training.order import JobOrder
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.plain_places import PlainPlace
from sagelet.training.rendezvous import Rendezvous
from sagelet.training.requirements import JobPackages
from sagelet.training.variables import platform_variables
from sagelet.worker import placing
from sagelet.worker.spec import HostExit

DRIVERS = "sm_drivers"
"""The channel that holds the SDK's drivers."""

SOURCE = "code"
"""The channel that holds the user's source."""

_DRIVER_FILES = (".py", ".sh", ".json")


class LiteralContract:
    """A literal command's contract for one host of a job."""

    def __init__(self, order: JobOrder, program: LiteralProgram, folder: HostFolder) -> None:
        """Take the job; nothing is read before it is asked for."""
        self._order = order
        self._argv = (*program.entrypoint, *program.arguments)
        self._tree = folder.tree
        self._place = PlainPlace.of(folder.root)
        self._environment = self._place.path / "environment"

    @property
    def command(self) -> str:
        """The command, as a person would type it."""
        return shlex.join(self._argv)

    def check(self) -> None:
        """Any command may be run."""

    def fetch(self, artifacts: Artifacts) -> Outcome | None:  # noqa: ARG002 - channels are all there is
        """Make the command's own interpreter; where there is no /opt/ml, tell the drivers."""
        python = Path(self._order.places.python)
        try:
            self._place.show()
            own_interpreter.make(self._environment, python, self._installed())
            if self._order.no_namespace:
                _relocate_drivers(self._tree, self._place.of_tree(self._tree))
        except (ChildFailed, OSError) as error:
            self._place.hide()
            reason = outcome.client_error(f"The interpreter {python} cannot be used: {error}")
            return Outcome(SecondaryStatus.FAILED, reason)
        return None

    def _installed(self) -> Installed:
        """What the project's interpreter has."""
        kept = Path(self._order.places.packages).with_name(INTERPRETERS)
        return Interpreters(kept, self._order.inherited).installed(Path(self._order.places.python))

    def packages(self) -> JobPackages | None:
        """Nothing: the command installs what it needs, into its own environment."""
        return None

    def warnings(self) -> list[str]:
        """What will not work here, or not on AWS."""
        return [
            *self._about_apostrophes(),
            *self._about_pip(),
            *self._about_places(),
        ]

    def _about_apostrophes(self) -> Iterable[str]:
        """The drivers write values between apostrophes."""
        if DRIVERS not in (channel.name for channel in self._order.channels):
            return
        names = [name for name, value in self._order.hyperparameters.items() if "'" in value]
        if names:
            yield (
                f"WARNING: the SDK's drivers fail on the apostrophe in {', '.join(sorted(names))}, "
                "here as on AWS"
            )

    def _about_pip(self) -> Iterable[str]:
        """The drivers install requirements with the interpreter's own pip."""
        if "pip" not in self._installed().packages:
            python = self._order.places.python
            yield (
                f"WARNING: {python} has no pip, which the SDK's drivers install requirements with: "
                f"run {python} -m ensurepip, or uv pip install --python {python} pip"
            )

    def _about_places(self) -> Iterable[str]:
        """A command names /opt/ml in its own files."""
        if self._order.no_namespace:
            yield (
                "WARNING: there is no /opt/ml here: it was replaced in the command and in the "
                "SDK's drivers; what else names it will not find it"
            )
            if self._order.cluster.host_count > 1:
                yield (
                    "WARNING: the hosts' names have no addresses here: what meets at algo-1, "
                    "torchrun on several hosts for one, will not"
                )

    def code(self, seen: MlTree) -> Path:
        """Where the SDK puts the source."""
        return seen.channel(SOURCE)

    def process(self, seen: MlTree) -> Process:
        """The command itself, at the root of the file system as in an image without WORKDIR."""
        argv = self._argv
        if self._order.no_namespace:
            argv = tuple(placing.moved(part, self._place.of_tree(seen)) for part in argv)
        return Process(argv, "/", way="literal")

    def environment(self, host: Host, seen: MlTree, rendezvous: Rendezvous) -> dict[str, str]:  # noqa: ARG002 - the drivers set what follows from them
        """The platform's variables, and the user's over them."""
        order = self._order
        commands = str(self._environment / "bin")
        theirs = str(Path(order.places.python).parent)
        variables = {
            **order.inherited,
            **NO_CREDENTIALS,
            **package_sources(os.environ),
            **order.credentials,
            **platform_variables(order, host),
            **order.environment,
        }
        path = variables.get("PATH", os.defpath)
        variables["PATH"] = os.pathsep.join((commands, theirs, path))
        variables["VIRTUAL_ENV"] = str(self._environment)
        return variables

    def judge(self, ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
        """Say how it ended; the container's exit code is the command's own."""
        self._place.hide()
        return outcome.of_command(ended, facts, out_of_time=out_of_time)


def _relocate_drivers(tree: MlTree, place: str) -> None:
    """Write the tree's real place into the drivers, which name /opt/ml; the copy is the job's."""
    for path in sorted(tree.channel(DRIVERS).rglob("*")):
        if path.suffix in _DRIVER_FILES and path.is_file():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            moved = placing.moved(text, place)
            if moved != text:
                path.write_text(moved, encoding="utf-8", errors="surrogateescape")
