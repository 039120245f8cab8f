"""How many processes each host of a job runs, and what each is told of the others.

What starts them in SageMaker's container is not needed here: torchrun's agent, or mpirun over ssh.
Each process is a fork like any other, in the environment that it would have there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagelet.domain.distribution import (
    INSTANCE_GROUPS,
    PROCESSES_PER_HOST,
    Distribution,
    distribution_of,
)
from sagelet.domain.training import Cluster, Host, LiteralProgram
from sagelet.errors import InvalidRequest
from sagelet.training import gpus
from sagelet.training.layout import host_names
from sagelet.training.machine import Machine
from sagelet.training.order import JobOrder
from sagelet.training.ports import DRIVERS_PORT
from sagelet.training.rendezvous import Rendezvous
from sagelet.worker.spec import Rank

OMP_THREADS = "OMP_NUM_THREADS"
NCCL_ERRORS = "TORCH_NCCL_ASYNC_ERROR_HANDLING"


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together, as torchrun sees them: as many on each host."""

    hosts: int
    processes: int
    meeting: Rendezvous
    run_id: str

    @property
    def size(self) -> int:
        """How many there are."""
        return self.hosts * self.processes

    def variables(self, node: int, local: int) -> dict[str, str]:
        """Return what torchrun tells a process, which has a number on its host, as that has one.

        One differs: without an agent the process of rank 0 opens the store, as without torchrun.
        """
        rank = node * self.processes + local
        told: dict[str, object] = {
            "RANK": rank,
            "LOCAL_RANK": local,
            "WORLD_SIZE": self.size,
            "LOCAL_WORLD_SIZE": self.processes,
            "GROUP_RANK": node,
            "GROUP_WORLD_SIZE": self.hosts,
            "ROLE_NAME": "default",
            "ROLE_RANK": rank,
            "ROLE_WORLD_SIZE": self.size,
            "MASTER_ADDR": self.meeting.address,
            "MASTER_PORT": self.meeting.port,
            "TORCHELASTIC_MAX_RESTARTS": 0,
            "TORCHELASTIC_RESTART_COUNT": 0,
            "TORCHELASTIC_RUN_ID": self.run_id,
            "TORCHELASTIC_SIGNALS_TO_HANDLE": "SIGTERM,SIGINT,SIGHUP,SIGQUIT",
            "TORCHELASTIC_USE_AGENT_STORE": False,
            NCCL_ERRORS: 1,
        }
        return {name: str(value) for name, value in told.items()}


@dataclass(frozen=True, slots=True)
class Launch:
    """How a job's processes are started on its hosts.

    `named_groups` are the instance groups that are said to take part; None where nobody says.
    `processes` run on each host that does, and one on any other. `threads` is torch's in each
    process, None for all cores; `gpus` are the machine's, and `said` is the user's Environment.
    """

    cluster: Cluster
    distribution: Distribution
    named_groups: tuple[str, ...] | None
    processes: int
    threads: int | None
    gpus: tuple[str, ...]
    said: Mapping[str, str]
    job: str

    @classmethod
    def of(cls, order: JobOrder, machine: Machine) -> Launch:
        """Read what a job's hyperparameters ask for, on a machine that runs all its hosts."""
        parameters, count = order.hyperparameters, order.cluster.host_count
        literal = isinstance(order.program, LiteralProgram)
        distribution = Distribution.NONE if literal else distribution_of(parameters)
        devices = gpus.devices(machine.gpus, {**order.inherited, **order.environment})
        launch = cls(
            cluster=order.cluster,
            distribution=distribution,
            named_groups=_named_groups(parameters),
            processes=_processes(parameters, default=len(devices) // count or 1),
            threads=order.threads,
            gpus=devices,
            said=order.environment,
            job=order.name,
        )
        return launch._with_threads(machine.cpus)

    def _with_threads(self, cpus: int) -> Launch:
        """Divide the cores among the processes, unless somebody has said a number of threads."""
        running = [self.processes if self.takes_part(host) else 1 for host in self.cluster.hosts]
        if self.threads is not None or OMP_THREADS in self.said or sum(running) == 1:
            return self
        is_torchrun = self.distribution is Distribution.TORCH_DISTRIBUTED
        alone = is_torchrun and self.processes > 1
        return replace(self, threads=1 if alone else max(1, cpus // sum(running)))

    def groups(self, host: Host) -> tuple[str, ...]:
        """Return the instance groups that the distribution has, as a host sees it.

        Where nobody names them each group is on its own, as the toolkit has it.
        """
        if self.named_groups is not None:
            return self.named_groups
        return () if self.distribution is Distribution.NONE else (host.group,)

    def hosts(self, host: Host) -> tuple[str, ...]:
        """Return the names of those groups' hosts, in the order of their ranks."""
        groups = self.groups(host)
        there = dict.fromkeys(other.group for other in self.cluster.hosts)
        return tuple(
            name
            for group in there
            if group in groups
            for name in sorted(other.name for other in self.cluster.hosts if other.group == group)
        )

    def master(self, host: Host) -> str:
        """Return the name of the host that a host meets the others on."""
        return next(iter(self.hosts(host)), host_names(self.cluster)[0])

    def takes_part(self, host: Host) -> bool:
        """Whether the distribution starts the host's processes."""
        return self.distribution is not Distribution.NONE and host.group in self.groups(host)

    def gpus_of(self, host: Host) -> tuple[str, ...]:
        """Return the GPUs that a host has to itself; those that the user names are everybody's."""
        if gpus.VISIBLE in self.said:
            return self.gpus
        number = self.cluster.hosts.index(host)
        return gpus.share(number, self.cluster.host_count, self.gpus)

    def visible_gpus(self, host: Host) -> dict[str, str]:
        """Return the variable that shows a host its own GPUs; none where it has the machine's."""
        if self.cluster.host_count == 1 or not self.gpus or gpus.VISIBLE in self.said:
            return {}
        return {gpus.VISIBLE: ",".join(self.gpus_of(host))}

    def check(self, entry_point: str) -> None:
        """Refuse an entry point that the distribution cannot start.

        Raises:
            InvalidRequest: in the toolkit's words.
        """
        if self.distribution is Distribution.TORCH_DISTRIBUTED and not entry_point.endswith(".py"):
            raise InvalidRequest(
                "Unsupported entry point type for torch_distributed: "
                f"torchrun starts Python scripts, and {entry_point} is none"
            )

    def ranks(self, host: Host, rendezvous: Rendezvous) -> tuple[Rank, ...]:
        """Return a host's processes; none where it runs its script as on its own."""
        if not self.takes_part(host):
            return ()
        hosts = self.hosts(host)
        node = hosts.index(host.name)
        alone = self.distribution is Distribution.TORCH_DISTRIBUTED and len(hosts) == 1
        world = World(
            hosts=len(hosts),
            processes=self.processes,
            meeting=Rendezvous("localhost", rendezvous.port) if alone else rendezvous,
            run_id=self.job if alone else "none",
        )
        return tuple(
            Rank(
                node * self.processes + local,
                {**world.variables(node, local), **self._more(node, local, world)},
            )
            for local in range(self.processes)
        )

    def _more(self, node: int, local: int, world: World) -> dict[str, str]:
        """What a process is told beside torchrun's own variables, and what a user says of those."""
        more = {NCCL_ERRORS: self.said[NCCL_ERRORS]} if NCCL_ERRORS in self.said else {}
        if self.distribution is Distribution.TORCH_DISTRIBUTED:
            more["NCCL_PROTO"] = "simple"
            if self.processes > 1 and self.threads is not None:
                more[OMP_THREADS] = str(self.threads)
            return more
        return more | {
            "OMPI_COMM_WORLD_RANK": str(node * world.processes + local),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(local),
            "OMPI_COMM_WORLD_SIZE": str(world.size),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(world.processes),
        }

    def command(self, host: Host, script: Sequence[str]) -> str:
        """Return the command that the toolkit would run on a host; empty where it is the script's.

        `script` is the entry point with its arguments.
        """
        if self.distribution is not Distribution.TORCH_DISTRIBUTED or not self.takes_part(host):
            return ""
        hosts = self.hosts(host)
        options = ["torchrun", "--nnodes", str(len(hosts))]
        options += ["--nproc_per_node", str(self.processes)]
        if len(hosts) > 1:
            options += ["--master_addr", self.master(host), "--master_port", str(DRIVERS_PORT)]
            options += ["--node_rank", str(hosts.index(host.name))]
        return " ".join((*options, *script))

    def explanation(self, host: Host) -> list[str]:
        """Say for the log how a host's processes are started, where it is not as in a container."""
        said = []
        if self.gpus and not self.gpus_of(host):
            said.append(
                f"WARNING: this machine has {len(self.gpus)} GPU(s) for {self.cluster.host_count} "
                "hosts, so that no host has one"
            )
        if self.takes_part(host):
            first = self.hosts(host).index(host.name) * self.processes
            last, size = first + self.processes - 1, len(self.hosts(host)) * self.processes
            ranks = f"rank {first}" if first == last else f"ranks {first} to {last}"
            said.append(f"{host.name} runs {ranks} of {size}. {_HOW[self.distribution]}")
        return said


_EMULATED = (
    "is emulated: each process is started at once, without mpirun, with torchrun's variables and "
    "OMPI_COMM_WORLD_RANK, _LOCAL_RANK, _SIZE and _LOCAL_SIZE"
)
_HOW: Mapping[Distribution, str] = {
    Distribution.TORCH_DISTRIBUTED: (
        "Each process is started at once in torchrun's environment, without torchrun's agent: none "
        "is started again (no elastic restarts)"
    ),
    Distribution.PYTORCHDDP: f"pytorchddp {_EMULATED}",
    Distribution.MPI: (
        f"MPI {_EMULATED}; mpi4py and Horovod do not join them, torch.distributed does"
    ),
}


def _named_groups(hyperparameters: Mapping[str, str]) -> tuple[str, ...] | None:
    named = _decoded(hyperparameters.get(INSTANCE_GROUPS))
    return tuple(map(str, named)) if isinstance(named, list) else None


def _processes(hyperparameters: Mapping[str, str], *, default: int) -> int:
    """How many processes a host runs: what is said, else one for each of its GPUs."""
    said = _decoded(hyperparameters.get(PROCESSES_PER_HOST))
    try:
        number = int(said)
    except (TypeError, ValueError):
        return default
    return number if number > 0 else default


def _decoded(value: str | None) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return the value that a hyperparameter is JSON for, or its text."""
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value
