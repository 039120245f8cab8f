"""Which process of a host failed first, and what the host's end is then."""

from __future__ import annotations

from collections.abc import Sequence

from sagelet.worker import reporting
from sagelet.worker.recording import signal_of
from sagelet.worker.running import Running
from sagelet.worker.spec import HostExit


def exit_of(
    processes: Sequence[Running], ended_at: float, *, stopped: bool, notes: tuple[str, ...]
) -> HostExit:
    """Return how a host ended whose processes have all ended."""
    failed = first_failed(processes)
    if failed is None:
        return HostExit(0, ended_at, stopped=stopped, notes=notes)
    report = failed.report
    return HostExit(
        failed.exit_code,
        ended_at,
        stopped=stopped,
        error=_error(failed),
        where="" if report is None else report.where,
        traceback="" if report is None else report.traceback,
        notes=notes,
        rank=failed.rank,
        failed_at=failed.failed_at,
    )


def first_failed(processes: Sequence[Running]) -> Running | None:
    """Return the process whose failure came before the others'; None where none failed.

    A process that only says that the one at the other end has gone comes last: the other one may
    have let go of their connection before it told of its own error.
    """
    failed = [process for process in processes if process.exit_code != 0]
    return min(failed, key=_turn, default=None)


def explains_itself(process: Running) -> bool:
    """Whether a failure explains itself; else another process is about to tell of its own."""
    return not reporting.is_consequence(_error(process))


def in_words(process: Running) -> str:
    """Say how a process failed: with its exit code, or by a signal."""
    code = process.exit_code
    return f"exited with {code}" if code > 0 else f"was {signal_of(code)}"


def _turn(process: Running) -> tuple[bool, bool, float]:
    return process.was_ended, not explains_itself(process), process.failed_at


def _error(process: Running) -> str:
    """The error that a process told of, or else the signal that ended it."""
    if process.report is not None:
        return process.report.error
    code = process.exit_code
    return signal_of(code) if code < 0 or not process.is_python else ""
