"""The process that sees a training job through: `python -m sagelet.training.runner JOB_DIR`.

It is in a session of its own and outlives the daemon. It downloads, has the hosts started, waits
for them, uploads, and writes each step to the job's journal. SIGTERM stops the job. Started again
on the job of a runner that died, it goes on where that one was.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sagelet.domain.training import SecondaryStatus
from sagelet.errors import DiskFull, SageletError
from sagelet.journal.events import EventLog
from sagelet.supervision.process import boot_id, started_at
from sagelet.training import libraries, outcome
from sagelet.training.attempts import Why, ended_by, has_waited_too_long, next_due
from sagelet.training.ballast import Ballast
from sagelet.training.channels import remove_inputs
from sagelet.training.host_group import HostGroup
from sagelet.training.inputs import artifacts_of, check_output
from sagelet.training.launching import DaemonLink
from sagelet.training.order import JobOrder, JobPaths, read_order
from sagelet.training.outcome import Outcome
from sagelet.training.records import (
    Event,
    History,
    JobEnded,
    RunnerStarted,
    StatusReached,
    StopSent,
    read_history,
    to_document,
)
from sagelet.training.results import Results
from sagelet.training.waiting import Signals, StopAsked, end_hosts


class Runner:
    """Sees one job through."""

    def __init__(
        self, order: JobOrder, paths: JobPaths, *, link: DaemonLink, signals: Signals
    ) -> None:
        """Open the job's places."""
        self._order = order
        self._paths = paths
        self._link = link
        self._signals = signals
        self._events = EventLog(paths.events)
        self._artifacts = artifacts_of(order, lambda line: self._group.hosts[0].log.say(line))
        self._group = HostGroup(order, paths, link=link, signals=signals, note=self._note)
        self._results = Results(order, paths, self._artifacts, self._group.hosts)
        self._ballast = Ballast(paths.ballast)

    def run(self) -> None:
        """Begin the job, or go on with it, and write its end."""
        history = self._history()
        if history.end is not None:
            return
        pid = os.getpid()
        self._note(RunnerStarted(time.time(), pid, started_at(pid) or 0.0, boot_id()))
        try:
            ended = self._see_through(history)
        except StopAsked:
            ended = _ended(Outcome(SecondaryStatus.STOPPED))
        except Exception as error:  # noqa: BLE001 - a job must not be left without an end
            _print_error()
            reason = outcome.internal_error(f"{type(error).__name__}: {error}")
            ended = _ended(Outcome(SecondaryStatus.FAILED, reason))
        self._ballast.drop()
        self._note(ended)
        with suppress(OSError):  # the job may be deleted just now, with all that it has
            remove_inputs(self._paths)

    def _see_through(self, history: History) -> JobEnded:
        """Do what is left to do of a job, in as many attempts as it takes."""
        if history.runner is not None and history.runner.boot != boot_id():
            return self._after_a_restart(history)
        while True:
            if not self._is_under_way(history):
                failed = self._begin(history)
                history = self._history()
                if failed is not None:
                    end_hosts(history)
                    return _ended(failed)
            self._wait(history)
            history = self._history()
            ended = self._judge(history)
            if not self._was_interrupted(history, ended):
                return self._finish(history, ended)
            self._interrupt()
            history = self._history()

    def _is_under_way(self, history: History) -> bool:
        """Whether every host of the present attempt was started."""
        return all(host.name in history.hosts for host in self._group.hosts)

    def _begin(self, history: History) -> Outcome | None:
        """Prepare the hosts and start them; return the job's end where that failed."""
        end_hosts(history)  # those that a runner started which died before it had started all
        failed = self._prepare()
        if self._signals.stop_asked:
            raise StopAsked
        if failed is None and has_waited_too_long(self._order, self._history()):
            self._reach(SecondaryStatus.STOPPING)
            failed = Outcome(SecondaryStatus.MAX_WAIT_TIME_EXCEEDED)
        if failed is None:
            self._reach(SecondaryStatus.TRAINING)
            failed = self._group.launch()
        return failed

    def _prepare(self) -> Outcome | None:
        """Download; return the job's end where that failed."""
        self._group.take_turn()
        self._reach(SecondaryStatus.DOWNLOADING)
        try:
            self._ballast.take()
        except OSError as error:
            return outcome.download_failed(error, self._order, "")
        try:
            check_output(self._artifacts, self._order)
        except SageletError as error:
            return Outcome(SecondaryStatus.FAILED, outcome.client_error(str(error)))
        failed = self._group.prepare(self._artifacts)
        if failed is not None:
            return failed
        with self._signals.interrupting():
            return self._results.restore(attempt=self._history().attempt)

    def _wait(self, history: History) -> None:
        """Wait until every host's supervisor has ended."""
        due = next_due(self._order, history)
        self._group.wait(history, time.monotonic() + due.left_s, self._results.tick)

    def _judge(self, history: History) -> Outcome:
        """Return what the hosts' ends make of the job."""
        ended = self._group.judge(history)
        why = ended_by(self._order, history)
        if ended.status is not SecondaryStatus.MAX_RUNTIME_EXCEEDED or why is None:
            return ended
        return replace(ended, status=_STATUSES[why])

    def _was_interrupted(self, history: History, ended: Outcome) -> bool:
        """Whether the job goes on with another attempt."""
        if self._signals.stop_asked or ended.status is SecondaryStatus.COMPLETED:
            return False
        return ended_by(self._order, history) is Why.INTERRUPTION

    def _interrupt(self) -> None:
        """End an attempt whose instances were taken, but for what was kept of it."""
        failure = self._results.keep_checkpoints()
        for host in self._group.hosts:
            host.log.say(
                f"{host.name} was taken away after {self._order.interrupt_after_s} s of training, "
                "as a simulated interruption of spot instances; the job starts again"
            )
        if failure is not None:
            self._group.hosts[0].log.say(f"WARNING: not all checkpoints were stored: {failure}")
        self._reach(SecondaryStatus.INTERRUPTED)
        self._reach(SecondaryStatus.STARTING)

    def _after_a_restart(self, history: History) -> JobEnded:
        """End a job that the machine's own end cut off, with all that is left of it."""
        reason = "the machine stopped, or was restarted, while the job ran"
        if self._order.checkpoints is not None:
            reason += f"; `sagelet train --resume {self._order.name}` goes on from its checkpoints"
        lost = Outcome(SecondaryStatus.FAILED, outcome.internal_error(reason))
        if not self._is_under_way(history):
            return _ended(lost)
        has_run = all(host.read_exit() for host in self._group.hosts)
        return self._finish(history, self._judge(history) if has_run else lost)

    def _finish(self, history: History, ended: Outcome) -> JobEnded:
        """Upload what the hosts left, and sum up."""
        self._reach(SecondaryStatus.UPLOADING)
        stored = self._results.store(ended)
        self._say_end(stored.ended, history)
        return _ended(stored.ended, stored.artifact_uri, stored.final_metrics)

    def _say_end(self, ended: Outcome, history: History) -> None:
        """Close the log with how the job ended, and how it had been started."""
        for host in self._group.hosts:
            started = history.hosts.get(host.name)
            if started is None:
                continue
            how = "a warm start" if started.warm else "a cold start"
            host.log.say(
                f"Training job {self._order.name}: {ended.status} after "
                f"{time.time() - started.at:.1f} s, from {how}"
            )

    def _history(self) -> History:
        """What the journal says by now."""
        return read_history(self._events)

    def _reach(self, status: SecondaryStatus) -> None:
        """Move the job on."""
        self._note(StatusReached(time.time(), status))

    def _note(self, event: Event) -> None:
        """Write an event down, and tell the daemon."""
        try:
            self._events.append(to_document(event))
        except DiskFull:
            self._ballast.drop()
            self._events.append(to_document(event))
        self._link.nudge()
        if isinstance(event, StopSent) and ended_by(self._order, self._history()) in _TIME_IS_UP:
            self._reach(SecondaryStatus.STOPPING)


_TIME_IS_UP = (Why.RUNTIME, Why.WAIT)
_STATUSES = {
    Why.RUNTIME: SecondaryStatus.MAX_RUNTIME_EXCEEDED,
    Why.WAIT: SecondaryStatus.MAX_WAIT_TIME_EXCEEDED,
    Why.INTERRUPTION: SecondaryStatus.STOPPED,  # a stop came meanwhile, or the job would go on
}


def _ended(
    ended: Outcome,
    artifact_uri: str | None = None,
    metrics: tuple[tuple[str, float, int], ...] = (),
) -> JobEnded:
    """The last event of a job."""
    return JobEnded(
        at=time.time(),
        status=ended.status,
        message=ended.message,
        failure_reason=ended.failure_reason,
        exit_code=ended.exit_code,
        artifact_uri=artifact_uri,
        final_metrics=metrics,
    )


def _print_error() -> None:
    """Print the present error with its frames; the traceback module takes 4 ms to import."""
    sys.__excepthook__(*sys.exc_info())


def main(arguments: list[str] | None = None) -> int:
    """Run a job: `[--libraries DIR] [--daemon-fd N] [JOB_DIR]`; 0 unless another runner has it.

    Without a folder, the daemon names one when there is a job, or hangs up.
    """
    # Not argparse, which takes long to import.
    rest = list(sys.argv[1:] if arguments is None else arguments)
    daemon_fd = None
    if rest[:1] == ["--libraries"]:
        libraries.reach(rest[1])
        rest = rest[2:]
    if rest[:1] == ["--daemon-fd"]:
        daemon_fd, rest = int(rest[1]), rest[2:]
    link = DaemonLink(daemon_fd)
    job_dir = rest[0] if rest else link.wait_for_job()
    if job_dir is None:
        return 0
    paths = JobPaths(Path(job_dir))
    _speak_into(paths.runner_log)
    signals = Signals()
    with paths.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 1
        Runner(read_order(paths), paths, link=link, signals=signals).run()
    return 0


def _speak_into(log: Path) -> None:
    """Write what we have to say, and what Python says, into a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
