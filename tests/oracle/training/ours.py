"""The same cases through our own contract: prepared for real, and judged, but not run."""

from __future__ import annotations

import os
import re
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.domain.training import Channel, Cluster, Host, ToolkitProgram
from sagelet.journal.streams import LogStreams
from sagelet.training import reasons
from sagelet.training.contract import contract_of
from sagelet.training.distributions import Launch
from sagelet.training.hostlog import HostLog
from sagelet.training.hosts import JobHost
from sagelet.training.machine import Machine
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.training.rendezvous import Rendezvous
from sagelet.worker.spec import HostExit, HostOrder
from tests.oracle.training.job_case import SOURCE_URI, JobCase
from tests.oracle.training.told import PYTHON, Told, steady
from tests.training_builders import an_order
from tests.wheels import make_wheel

MACHINE = Machine(cpus=2, torch_version="2.13.0")
PORT = 29999
GENERIC = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:latest"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Ours:
    """A case's job in a folder of its own; `packages` is one that all cases share."""

    case: JobCase
    root: Path
    packages: Path

    def given(self) -> Told:
        """Return what the script would be given, or why it would not begin."""
        order, launch = self._order(), Launch.of(self._order(), MACHINE)
        host = self._host(order, launch)
        failed = host.prepare(self._artifacts(), lambda _: None)
        if failed is not None:
            return Told(1, failure=self._text(failed, order))
        rendezvous = Rendezvous(launch.master(self._mine(order)), PORT)
        placed = host.order(rendezvous)
        environ = {**placed.environment, **(placed.ranks[0].environment if placed.ranks else {})}
        command = launch.command(self._mine(order), ())
        if not placed.is_python:
            environ = _through_a_shell(environ, placed.cwd)
        return Told(
            exit_code=0,
            argv=(*command.split(), *placed.argv) if command else _argv(placed),
            cwd=placed.cwd,
            path=_path(placed),
            environ=steady(environ),
            success=True,
        )

    def failed(self, ended: HostExit, *, failure: str = "") -> str:
        """Return the failure text that a script's end makes."""
        order = self._order()
        host = self._host(order, Launch.of(order, MACHINE))
        assert host.prepare(self._artifacts(), lambda _: None) is None
        contract = contract_of(order, host.folder)
        facts = ScriptFacts(contract.command, contract.code(host.seen), failure=failure)
        return self._text(contract.judge(ended, facts, out_of_time=False), order)

    def _order(self) -> JobOrder:
        case = self.case
        hosts = {
            name: Host(name, "ml.m5.xlarge", group)
            for group, names in case.all_groups.items()
            for name in names
        }
        order = an_order(
            self.root,
            name="oracle-job",
            **{} if case.module else {"image": GENERIC},
            program=ToolkitProgram(case.entry, SOURCE_URI),
            hyperparameters=case.all_hyperparameters,
            cluster=Cluster(tuple(hosts[name] for name in case.hosts)),
            environment=dict(case.environment),
        )
        places = replace(order.places, packages=str(self.packages))
        return replace(order, places=places, channels=tuple(self._channels()))

    def _channels(self) -> list[Channel]:
        return [
            Channel(
                name=name,
                uri=self._empty_folder(name).as_uri(),
                content_type=said.get("ContentType"),
                input_mode=said["TrainingInputMode"],
            )
            for name, said in self.case.channels.items()
        ]

    def _empty_folder(self, name: str) -> Path:
        folder = self.root / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.csv").touch()
        return folder

    def _mine(self, order: JobOrder) -> Host:
        return next(host for host in order.cluster.hosts if host.name == self.case.host)

    def _host(self, order: JobOrder, launch: Launch) -> JobHost:
        logs = LogStreams(self.root / "logs")
        logs.create_group("/aws/sagemaker/TrainingJobs")
        logs.create_stream("/aws/sagemaker/TrainingJobs", "oracle")
        log = HostLog(logs, "oracle")
        return JobHost(order, self._mine(order), JobPaths(self.root / "job"), log, launch)

    def _artifacts(self) -> Artifacts:
        """Return buckets with the source in them."""
        source = self.root / "source"
        for name, text in self.case.files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        for name, version in self.case.wheels.items():
            make_wheel(source / "wheels", name, version)
        bucket = self.root / "buckets" / "bucket" / "job" / "source"
        bucket.mkdir(parents=True)
        with tarfile.open(bucket / "sourcedir.tar.gz", "w:gz") as tar:
            tar.add(source, ".")
        return Artifacts(Buckets(self.root / "buckets"))

    def _text(self, failed: Outcome, order: JobOrder) -> str:
        assert failed.failure_reason is not None
        return reasons.without_frame(failed.failure_reason).replace(order.places.python, PYTHON)


def _through_a_shell(environ: dict[str, str], cwd: str) -> dict[str, str]:
    """Return what dash passes on: names that are names, and where it is."""
    return {name: v for name, v in environ.items() if _IDENTIFIER.fullmatch(name)} | {"PWD": cwd}


def _argv(placed: HostOrder) -> tuple[str, ...]:
    """Return sys.argv, or a shell script's $0 and arguments, as `way` makes them."""
    name, *rest = placed.argv
    if placed.way == "module":
        return (f"{placed.cwd}/{name.replace('.', '/')}.py", *rest)
    return (name if name.endswith(".py") else f"./{name}", *rest)


def _path(placed: HostOrder) -> str:
    """Return sys.path[0]."""
    if placed.way == "module":
        return placed.cwd
    return os.path.dirname(os.path.join(placed.cwd, placed.argv[0]))  # noqa: PTH118, PTH120
