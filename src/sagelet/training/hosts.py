"""One host of a job: its tree and source before the start, its order, and how its script ended."""

from __future__ import annotations

import shutil

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import Host, SecondaryStatus
from sagelet.errors import DiskFull, InvalidRequest, SageletError
from sagelet.training import inputs, outcome
from sagelet.training.contract import contract_of
from sagelet.training.hostlog import HostLog
from sagelet.training.layout import OPT_ML, HostFolder, MlTree, lay_out
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.records import StopSent
from sagelet.training.variables import Rendezvous
from sagelet.worker.spec import HostExit, HostOrder, Mounts, exit_from_json

FULL_BYTES = 2**20


class JobHost:
    """A host of a job, on disk."""

    def __init__(self, order: JobOrder, host: Host, paths: JobPaths, log: HostLog) -> None:
        """Name the places; nothing is made before `prepare`."""
        self.name = host.name
        self.folder = HostFolder(paths.host(host.name))
        self.log = log
        self._order = order
        self._host = host
        self._contract = contract_of(order)

    @property
    def seen(self) -> MlTree:
        """The tree as the script sees it."""
        return self.folder.tree if self._order.no_namespace else MlTree(OPT_ML)

    def prepare(self, artifacts: Artifacts) -> Outcome | None:
        """Lay the tree out and fill it; return the job's end where that cannot be done."""
        order = self._order
        try:
            self._contract.check()
            lay_out(order, self._host, self.folder)
        except InvalidRequest as error:
            return _failed(outcome.algorithm_error(str(error)))
        except OSError as error:
            return outcome.download_failed(error, order, "")
        for channel in order.channels:
            try:
                inputs.fetch_channel(artifacts, channel, self.folder.tree.channel(channel.name))
            except (SageletError, OSError) as error:
                return outcome.download_failed(error, order, channel.uri, channel)
        return self._contract.fetch(artifacts, self.folder.tree)

    def announce(self) -> None:
        """Say in the log where /opt/ml is, what this release leaves out, and what is run."""
        self.log.say(
            self._where(), *self._contract.warnings(self.folder.tree),
            "Invoking script with the following command:", "", self._contract.command, "",
        )  # fmt: skip

    def _where(self) -> str:
        """Which /opt/ml the script will see."""
        order = self._order
        job = f"Training job {order.name} on {self.name} ({self._host.instance_type})"
        if order.no_namespace:
            return f"{job}: /opt/ml is {self.folder.tree.base} ({order.no_namespace})"
        return f"{job}: /opt/ml is the job's own, in a mount namespace"

    def order(self, rendezvous: Rendezvous) -> HostOrder:
        """Return the order for the host's process."""
        order, process = self._order, self._contract.process(self.seen)
        return HostOrder(
            argv=process.argv,
            cwd=process.cwd,
            way=process.way,
            environment=self._contract.environment(self._host, self.seen, rendezvous),
            log=str(self.log.path),
            exit_file=str(self.folder.exit_file),
            grace_s=order.grace_s,
            threads=order.threads,
            mounts=self._mounts(),
        )

    def _mounts(self) -> Mounts | None:
        """What the host sees in a namespace of its own, where there is one."""
        if self._order.no_namespace:
            return None
        return Mounts(
            opt_ml=str(self.folder.tree.base),
            hosts_file=str(self.folder.hosts_file),
            hostname=self.name,
        )

    def read_exit(self) -> HostExit | None:
        """Return how the script ended; None while it has not, or where nobody could tell."""
        try:
            return exit_from_json(self.folder.exit_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def judge(self, *, log_offset: int, stop: StopSent | None) -> Outcome:
        """Return what the script's end, and the stop that was sent before it, make of the job."""
        ended = self.read_exit()
        out_of_time = stop is not None and stop.out_of_time
        if ended is None:
            # A stop may also end a supervisor that had not begun, or one that took too long.
            return outcome.stopped(out_of_time=out_of_time) if stop else _failed(self._untold())
        facts = ScriptFacts(
            command=self._contract.command,
            code=self._contract.code(self.seen),
            failure=self._failure(),
            last_line=self.log.last_line(log_offset),
        )
        return outcome.of_script(ended, facts, out_of_time=out_of_time)

    def _untold(self) -> str:
        """Why nobody knows how the script ended: a full disk, or a killed supervisor."""
        free_bytes = shutil.disk_usage(self.folder.root).free
        if free_bytes < FULL_BYTES:
            return outcome.client_error(
                outcome.in_words(DiskFull(str(self.folder.root), free_bytes))
            )
        return outcome.internal_error(f"the supervisor of {self.name} was killed; so was its job")

    def _failure(self) -> str:
        """The beginning of the script's own failure file, where it wrote one."""
        try:
            with self.folder.tree.failure.open(encoding="utf-8", errors="replace") as file:
                return file.read(outcome.REASON_CHARACTERS)
        except OSError:
            return ""


def _failed(reason: str) -> Outcome:
    """A job that failed before its script ran."""
    return Outcome(SecondaryStatus.FAILED, reason)
