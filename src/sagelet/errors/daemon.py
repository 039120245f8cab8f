"""The daemon or its state directory stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.errors.root import SageletError


class DaemonError(SageletError):
    """The daemon is not there, or cannot be."""


@dataclass(eq=False)
class DaemonRunning(DaemonError):
    """Another daemon holds this home."""

    pid: int
    address: str
    home: str

    def sentence(self) -> str:
        """Name the one that runs."""
        return f"a daemon (pid {self.pid}) already runs on {self.home} at {self.address}"


@dataclass(eq=False)
class DaemonStartFailed(DaemonError):
    """A daemon that was started did not come up. `exit_code` is its own, if it ended itself."""

    log: str
    log_tail: str = ""
    exit_code: int | None = None

    def sentence(self) -> str:
        """Show its last words, and where the rest is."""
        return f"the daemon did not come up; its log is {self.log}\n{self.log_tail}".rstrip()


@dataclass(eq=False)
class VersionSkew(DaemonError):
    """The daemon and this program are of different releases."""

    daemon: str
    ours: str

    def sentence(self) -> str:
        """Say what to do."""
        return (
            f"the daemon is {self.daemon}, this is {self.ours}: run `sagelet down` and `sagelet up`"
        )


@dataclass(eq=False)
class PortTaken(DaemonError):
    """A port that was asked for by number is in use."""

    port: int
    owner: str = ""

    def sentence(self) -> str:
        """Name the owner where it is known."""
        return f"port {self.port} is used by {self.owner or 'another process'}"


@dataclass(eq=False)
class StateError(SageletError):
    """The state directory cannot be used as it is; nothing in it was changed."""

    path: str
    problem: str

    def sentence(self) -> str:
        """Name the path and the problem."""
        return f"{self.path}: {self.problem}"
