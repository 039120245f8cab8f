"""Script mode, as sagemaker-training 5.1.4 has it (contract T of the training chapter)."""

from __future__ import annotations

import contextlib
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.domain.distribution import Distribution, distribution_of
from sagelet.domain.training import Host, SecondaryStatus, ToolkitProgram
from sagelet.errors import InvalidRequest, SageletError
from sagelet.training import inputs, outcome, reasons, splitting, toolkit
from sagelet.training.host_process import Process
from sagelet.training.layout import OPT_ML, HostFolder, MlTree
from sagelet.training.machine import look_around
from sagelet.training.order import JobOrder
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.requirements import JobPackages
from sagelet.training.toolkit import EntryKind
from sagelet.training.variables import Rendezvous, environment, framework_module
from sagelet.worker.spec import HostExit

_LEGACY = "toolkit: legacy: /bin/sh splits the arguments, as sagemaker-training before 5.1.3 has it"
_IN_THE_IMAGE = (
    "The source is said to be in the image, at /opt/ml/code, and no image runs here: give "
    "sagemaker_submit_directory the s3:// or file:// URL of its source on this machine."
)
_NO_PACKAGE = (
    "Python packages are not supported for torch_distributed. Use a Python script as the entry "
    "point, without a setup.py beside it."
)


class ToolkitContract:
    """The training toolkit's contract for one host of a job."""

    def __init__(self, order: JobOrder, program: ToolkitProgram, folder: HostFolder) -> None:
        """Take the job; nothing is read before it is asked for."""
        self._order = order
        self._program = program
        self._code = folder.tree.code
        self._output = folder.tree.output
        self._is_first = folder.root.name == order.cluster.hosts[0].name
        self._arguments = toolkit.to_arguments(
            toolkit.Hyperparameters.decode(order.hyperparameters).script
        )

    @property
    def kind(self) -> EntryKind:
        """How the entry point runs, which depends on what lies beside it."""
        return EntryKind.of(self._program.entry_point, self._code)

    @property
    def command(self) -> str:
        """The script's command, as the toolkit words it."""
        return toolkit.command(
            self.kind,
            self._order.places.python,
            self._program.entry_point,
            self._arguments,
            is_legacy=self._is_split,
        )

    @property
    def _is_split(self) -> bool:
        """Whether a shell splits the arguments: older toolkits did so for PyTorch's images."""
        return self._order.is_legacy and framework_module(self._order.image) is not None

    @property
    def _is_torchrun(self) -> bool:
        """Whether torchrun would start it in the container."""
        distribution = distribution_of(self._order.hyperparameters)
        return distribution is Distribution.TORCH_DISTRIBUTED

    def check(self) -> None:
        """Refuse an entry point that is no plain path."""
        toolkit.check_entry_point(self._program.entry_point)

    def fetch(self, artifacts: Artifacts) -> Outcome | None:
        """Unpack the source, find the script in it, and make a command executable."""
        if self._program.source_uri.removeprefix("file://") == str(OPT_ML / "code"):
            return Outcome(SecondaryStatus.FAILED, outcome.client_error(_IN_THE_IMAGE))
        try:
            inputs.fetch_source(artifacts, self._program.source_uri, self._code)
        except (SageletError, OSError) as error:
            return outcome.download_failed(error, self._order, self._program.source_uri)
        name = self._program.entry_point
        try:
            script = toolkit.find_entry_point(self._code, name)
        except InvalidRequest as error:
            return Outcome(SecondaryStatus.FAILED, outcome.algorithm_error(str(error)))
        if self.kind is EntryKind.PACKAGE and self._is_torchrun:
            return Outcome(SecondaryStatus.FAILED, outcome.algorithm_error(_NO_PACKAGE))
        if script is None:
            if self.kind is EntryKind.PACKAGE:  # a module of the package, wherever that has it
                return None
            return outcome.missing_entry_point(self._program, self.command, self._code)
        if self.kind is EntryKind.COMMAND:
            script.chmod(0o777)
        return None

    def packages(self) -> JobPackages | None:
        """What requirements.txt asks for, and the source where it has a setup.py; not for a .sh."""
        file = self._code / toolkit.REQUIREMENTS
        found = file if file.is_file() else None
        match self.kind:
            case EntryKind.PACKAGE:
                return JobPackages(found, self._code)
            case EntryKind.PROGRAM:
                return JobPackages(found) if found else None
            case EntryKind.COMMAND:
                return None

    def warnings(self) -> list[str]:
        """What other images, or the cloud, would do with this job."""
        found = []
        if self.kind is EntryKind.COMMAND and (self._code / toolkit.REQUIREMENTS).is_file():
            found.append(
                f"WARNING: {toolkit.REQUIREMENTS} is not installed for an entry point that is no "
                ".py, here as on AWS: have the script install it"
            )
        if self._is_split:
            found.append(_LEGACY)
        elif self._is_first and framework_module(self._order.image):
            found += splitting.warnings(self._order.hyperparameters)
        return found

    def code(self, seen: MlTree) -> Path:
        """/opt/ml/code."""
        return seen.code

    def process(self, seen: MlTree) -> Process:
        """The script with its arguments, in the source."""
        name, arguments, cwd = self._program.entry_point, self._arguments, str(seen.code)
        if self._is_split:
            return Process((self.command,), cwd, way="shell")
        if self.kind is EntryKind.PACKAGE:
            return Process((toolkit.module_name(name), *arguments), cwd, way="module")
        return Process((name, *arguments), cwd)

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

    def judge(self, ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
        """Say how it ended; /opt/ml/output has `success` or `failure`, as the toolkit leaves it."""
        judged = outcome.of_script(ended, facts, out_of_time=out_of_time)
        with contextlib.suppress(OSError):  # a full disk; nothing here reads them
            if judged.status is SecondaryStatus.COMPLETED:
                (self._output / "success").touch()
            elif judged.failure_reason and not facts.failure:
                text = reasons.without_frame(judged.failure_reason)
                (self._output / "failure").write_text(text, encoding="utf-8")
        return judged
