"""Ctrl-C while a training job is followed: the first stops the job, the second kills it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sagelet.cli.context import App
from sagelet.errors import RemoteRefused


@contextmanager
def stopping_on_interrupt(
    app: App, job: str, say: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Have Ctrl-C stop a job, Ctrl-C again kill it, and a third one end the following.

    What is asked for is done by the function that the body gets, not amid its output. On AWS,
    which kills a job two minutes after its stop, the second one ends the following.

    Raises:
        KeyboardInterrupt: it was asked for; raised when the body has ended, or at once by the last.
    """
    is_local = app.deploy_env().is_local()
    steps = (_stop, _kill) if is_local else (_stop,)
    asked = taken = 0

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked == len(steps):
            raise KeyboardInterrupt
        asked += 1

    def do_what_was_asked() -> None:
        nonlocal taken
        while taken < asked:
            taken += 1
            try:
                steps[taken - 1](app, job, say)
            except RemoteRefused as refused:
                say(refused.message)  # it has ended already

    before = signal.signal(signal.SIGINT, note)
    try:
        yield do_what_was_asked
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def _stop(app: App, job: str, say: Callable[[str], None]) -> None:
    again = "kills it" if app.deploy_env().is_local() else "leaves it to end by itself"
    say(f"stopping {job}; Ctrl-C again {again}")
    app.call("sagemaker", "StopTrainingJob", TrainingJobName=job)


def _kill(app: App, job: str, say: Callable[[str], None]) -> None:
    from sagelet.cli.running import local_api

    say(f"killing {job}")
    local_api(app).kill_job(job)
