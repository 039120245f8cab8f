"""The orders that a child process gets: JSON on the way in, frozen values on this side.

A child is forked from the zygote, or started cold as `python -m sagelet.worker.child` with the
same order. It inherits numbered file descriptors, named below with each order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Union


@dataclass(frozen=True)
class Overlay:
    """A folder that a child sees without a copy: `lower`, at `target` below /opt/ml.

    What the child writes goes to `upper` (`work` is the kernel's, beside it) and never to `lower`;
    without an `upper` nothing can be written.
    """

    lower: str
    target: str
    upper: str = ""
    work: str = ""


@dataclass(frozen=True)
class Mounts:
    """What a child sees in its own mount namespace, where the kernel allows one.

    `opt_ml` appears at /opt/ml, `hosts_file` at /etc/hosts, and the overlays in the tree. A host's
    name is set with `hostname`.
    """

    opt_ml: str
    hosts_file: str | None = None
    hostname: str | None = None
    overlays: tuple[Overlay, ...] = ()


@dataclass(frozen=True)
class ServeOrder:
    """Load a model and answer frames. Descriptors: [frame socket, stdout, stderr].

    `environment` is the child's whole environment; `threads` is torch's, in this process;
    `generation` numbers the code and model that this worker starts with; `site_dirs` are folders of
    installed packages, searched after all others; the limits are in bytes, None for none.
    """

    model_dir: str
    code_dir: str
    program: str
    cwd: str
    environment: Mapping[str, str]
    threads: int = 1
    generation: int = 1
    contract: str = "sane"
    mounts: Mounts | None = None
    site_dirs: tuple[str, ...] = ()
    max_request_bytes: int | None = None
    max_response_bytes: int | None = None
    kind: str = "serve"


CONTAINER_LIMIT_BYTES = 6_553_500
"""What a request and its answer may have in SageMaker's container, unless a variable says so."""


@dataclass(frozen=True)
class Rank:
    """One of a host's processes: its number in the whole job, and the variables that tell it so."""

    number: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class HostOrder:
    """Run a training script and outlive whoever gave the order. Descriptors: none.

    `argv[0]` is the entry point, relative to `cwd`. How it runs is `way`: `script` (a `.py` as
    `__main__` in this interpreter, anything else under /bin/sh, its arguments whole), `module`
    (argv[0] names one, as after `python -m`), `shell` (argv[0] is a line for /bin/sh), or
    `literal` (argv is a command, run as it is). There is one process for each of `ranks`, and one
    where there are none.

    `log` is the journal's file for this host. Where it has several processes, the lines of all but
    the first begin with `[rank 1] `, their number. `exit_file` is written (whole, by rename) when
    all processes have ended; when one fails, the others are ended. A SIGTERM to the supervisor is
    passed to their process groups, unless `forwards_stop` is off; when `grace_s` seconds are over
    each Python process writes its stack into the log, and SIGKILL follows. A SIGUSR1 to the
    supervisor asks for the stacks only. `site_dirs` are folders of installed packages, searched
    after all others. `names` maps host names to addresses, for where no /etc/hosts can do it.
    """

    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    log: str
    exit_file: str
    grace_s: float = 120.0
    threads: int | None = None
    mounts: Mounts | None = None
    way: str = "script"
    ranks: tuple[Rank, ...] = ()
    site_dirs: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    forwards_stop: bool = True
    kind: str = "host"

    @property
    def is_python(self) -> bool:
        """Whether the entry point runs in this interpreter, rather than in a program of its own."""
        return self.way == "module" or (self.way == "script" and self.argv[0].endswith(".py"))


@dataclass(frozen=True)
class HostExit:
    """How a host's script ended: what is in `exit_file`. `exit_code` is negative for a signal.

    `error` is the user's last error line (`ValueError: …`), `where` its `file:line`, and
    `traceback` the user's own frames; all empty where there was none. Of several processes it is
    the one that failed first, whose number in the job is `rank` (None where the host has one); it
    failed at `failed_at`, which is before it ended, and 0.0 where none did.
    """

    exit_code: int
    ended_at: float
    stopped: bool = False
    error: str = ""
    where: str = ""
    traceback: str = ""
    notes: tuple[str, ...] = field(default=())
    rank: int | None = None
    failed_at: float = 0.0


Order = Union[ServeOrder, HostOrder]


def to_json(value: Order | HostExit) -> str:
    """Return an order or an exit as one line of JSON."""
    return json.dumps(asdict(value), separators=(",", ":"))


def order_from_json(text: str) -> Order:
    """Read an order back.

    Raises:
        ValueError: `kind` is neither of ours.
    """
    raw: dict[str, Any] = json.loads(text)
    raw["mounts"] = _mounts(raw["mounts"]) if raw.get("mounts") else None
    if raw["kind"] == "serve":
        raw["site_dirs"] = tuple(raw["site_dirs"])
        return ServeOrder(**raw)
    if raw["kind"] == "host":
        raw["argv"] = tuple(raw["argv"])
        raw["ranks"] = tuple(Rank(**rank) for rank in raw.get("ranks", ()))
        raw["site_dirs"] = tuple(raw.get("site_dirs", ()))
        return HostOrder(**raw)
    raise ValueError("an order of kind {!r}".format(raw["kind"]))


def _mounts(raw: dict[str, Any]) -> Mounts:
    overlays = tuple(Overlay(**overlay) for overlay in raw.get("overlays", ()))
    return Mounts(**{**raw, "overlays": overlays})


def exit_from_json(text: str) -> HostExit:
    """Read a host's exit back."""
    raw: dict[str, Any] = json.loads(text)
    raw["notes"] = tuple(raw.get("notes", ()))
    return HostExit(**raw)
