"""One host of a job: its tree and source before the start, its order, and how its script ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from sagelet.artifacts.files import Artifacts
from sagelet.domain.training import Host, SecondaryStatus, ToolkitProgram
from sagelet.errors import DiskFull, InvalidRequest, RequirementsFailed, SageletError
from sagelet.training import outcome, requirements
from sagelet.training.channels import Channels, Shown
from sagelet.training.contract import contract_of
from sagelet.training.distributions import Launch
from sagelet.training.hostlog import HostLog
from sagelet.training.layout import OPT_ML, HostFolder, MlTree, addresses, lay_out
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.records import StopSent
from sagelet.training.rendezvous import Rendezvous
from sagelet.training.tail_errors import find_error
from sagelet.worker.spec import HostExit, HostOrder, Mounts, exit_from_json

FULL_BYTES = 2**20

STRICT_STOP = (
    "WARNING: contract strict: no stop reaches the script, as none does in the container; it is "
    "killed {:g} s later"
)


class JobHost:
    """A host of a job, on disk."""

    def __init__(
        self, order: JobOrder, host: Host, paths: JobPaths, log: HostLog, launch: Launch
    ) -> None:
        """Name the places; nothing is made before `prepare`."""
        self.name = host.name
        self.master = launch.master(host)
        self._launch = launch
        self.folder = HostFolder(paths.host(host.name))
        self.log = log
        self._paths = paths
        self._shown: list[Shown] = []
        self._order = order
        self._host = host
        self._contract = contract_of(order, self.folder)
        self._site_dirs: tuple[str, ...] = ()

    @property
    def seen(self) -> MlTree:
        """The tree as the script sees it."""
        return self.folder.tree if self._order.no_namespace else MlTree(OPT_ML)

    def prepare(self, artifacts: Artifacts, tell: Callable[[str], None]) -> Outcome | None:
        """Lay the tree out and fill it; return the job's end where that cannot be done.

        `tell` is told what takes long, for Describe.
        """
        order = self._order
        try:
            self._contract.check()
            self._check_launch()
            lay_out(order, self._host, self.folder)
        except InvalidRequest as error:
            return _failed(outcome.algorithm_error(str(error)))
        except OSError as error:
            return outcome.download_failed(error, order, "")
        channels = Channels(artifacts, order, self._paths)
        self._shown = []
        for channel in order.channels_of(self._host):
            try:
                self._shown.append(channels.show(channel, self._host, self.folder))
            except (SageletError, OSError) as error:
                return outcome.download_failed(error, order, channel.uri, channel)
        return self._contract.fetch(artifacts) or self._install(tell)

    def _install(self, tell: Callable[[str], None]) -> Outcome | None:
        """Install what the source asks for; return the job's end where that cannot be done."""
        self._site_dirs = ()
        packages = self._contract.packages()
        if packages is None:
            return None
        try:
            folder = requirements.find(packages, self._order.places)
            if folder is None:
                tell(f"Installing {packages.title}")
                folder = requirements.install(packages, self._order.places, self.log.say)
            else:
                self.log.say(f"{packages.title} was installed before")
        except RequirementsFailed as error:
            self.log.say(*error.said.splitlines())
            return outcome.not_installed(error, packages, self._order.places.python)
        self._site_dirs = (str(folder),)
        return None

    def _check_launch(self) -> None:
        """Refuse an entry point that the job's distribution cannot start."""
        if isinstance(self._order.program, ToolkitProgram):
            self._launch.check(self._order.program.entry_point)

    def announce(self) -> None:
        """Say in the log where /opt/ml is, how its processes start, and what is run."""
        order = self._order
        self.log.say(
            self._where(),
            *(note for shown in self._shown for note in shown.notes),
            *self._contract.warnings(),
            *([STRICT_STOP.format(order.grace_s)] if order.is_strict else ()),
            *self._launch.explanation(self._host),
            "Invoking script with the following command:", "", self._command, "",
        )  # fmt: skip

    def _where(self) -> str:
        """Which /opt/ml the script will see."""
        order = self._order
        job = f"Training job {order.name} on {self.name} ({self._host.instance_type})"
        if order.no_namespace:
            return f"{job}: /opt/ml is {self.folder.tree.base} ({order.no_namespace})"
        return f"{job}: /opt/ml is the job's own, in a mount namespace"

    @property
    def has_ranks(self) -> bool:
        """Whether the host runs a distribution's processes."""
        return self._launch.takes_part(self._host)

    @property
    def has_failed(self) -> bool:
        """Whether the host, which has ended, did so in a failure."""
        ended = self.read_exit()
        return ended is None or (ended.exit_code != 0 and not ended.stopped)

    @property
    def _command(self) -> str:
        """The command that the container would run."""
        script = self._contract.process(self.seen).argv
        return self._launch.command(self._host, script) or self._contract.command

    def order(self, rendezvous: Rendezvous) -> HostOrder:
        """Return the order for the host's process."""
        order, process = self._order, self._contract.process(self.seen)
        environment = self._contract.environment(self._host, self.seen, rendezvous)
        return HostOrder(
            argv=process.argv,
            cwd=process.cwd,
            way=process.way,
            environment=environment | self._launch.visible_gpus(self._host),
            log=str(self.log.path),
            exit_file=str(self.folder.exit_file),
            grace_s=order.grace_s,
            forwards_stop=not order.is_strict,
            threads=self._launch.threads,
            mounts=self._mounts(),
            ranks=self._launch.ranks(self._host, rendezvous),
            site_dirs=self._site_dirs,
            names=addresses(order.cluster),
        )

    def _mounts(self) -> Mounts | None:
        """What the host sees in a namespace of its own, where there is one."""
        if self._order.no_namespace:
            return None
        return Mounts(
            opt_ml=str(self.folder.tree.base),
            hosts_file=str(self.folder.hosts_file),
            hostname=self.name,
            overlays=tuple(shown.overlay for shown in self._shown if shown.overlay is not None),
        )

    def read_exit(self) -> HostExit | None:
        """Return how the script ended; None while it has not, or where nobody could tell."""
        try:
            return exit_from_json(self.folder.exit_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def judge(self, ended: HostExit | None, *, log_offset: int, stop: StopSent | None) -> Outcome:
        """Return what the script's end, and the stop that was sent before it, make of the job."""
        out_of_time = stop is not None and stop.out_of_time
        if ended is None:
            # A stop may also end a supervisor that had not begun, or one that took too long.
            return outcome.stopped(out_of_time=out_of_time) if stop else _failed(self._untold())
        facts = ScriptFacts(
            command=self._command,
            code=self._contract.code(self.seen),
            failure=self._failure(),
            last_line=self.log.last_line(log_offset),
            logged=find_error(self.log.last_lines(log_offset), self._contract.code(self.seen)),
            who=self._who(ended),
        )
        return self._contract.judge(ended, facts, out_of_time=out_of_time)

    def _who(self, ended: HostExit) -> str:
        """Which of the job's processes ended so; empty where it has only one."""
        if ended.rank is not None:
            return f"rank {ended.rank} on {self.name}"
        return self.name if self._order.cluster.host_count > 1 else ""

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
