"""Following a training job to its end on the command line, and stopping it with Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from sagelet.cli.context import App
from sagelet.errors import RemoteRefused

if TYPE_CHECKING:
    from sagelet.cli.jobs.looks import Looks


def follow(app: App, job: str) -> Mapping[str, Any]:
    """Show a job until it has ended; return its description.

    Raises:
        KeyboardInterrupt: Ctrl-C stopped it, or ended the following.
    """
    from sagelet.cli.training_view import view_for

    view = view_for(app.output)
    description: Mapping[str, Any] = {}
    try:
        with _stopping_on_interrupt(app, job, view.say) as stop_if_asked:
            for look in looks_at(app, job, with_metrics=app.output.is_live):
                view.show(look)
                description = look.description
                stop_if_asked()
    finally:
        view.close()
    return description


def looks_at(app: App, job: str, *, with_metrics: bool = False, start_ms: int = 0) -> Looks:
    """Return looks at a job in the chosen environment, as often as it may be asked."""
    from sagelet.cli.jobs.log_lines import JobLog
    from sagelet.cli.jobs.looks import AWS_PACE, Looks, Pace
    from sagelet.cli.jobs.points import AWS_PERIOD_S, LOCAL_PERIOD_S, MetricsReader

    is_local = app.deploy_env().is_local()
    period_s = LOCAL_PERIOD_S if is_local else AWS_PERIOD_S
    return Looks(
        app.call,
        job,
        JobLog(app.call, job, start_ms=start_ms, is_local=is_local),
        metrics=MetricsReader(app.call, period_s=period_s) if with_metrics else None,
        pace=Pace() if is_local else Pace(*AWS_PACE),
    )


@contextmanager
def _stopping_on_interrupt(
    app: App, job: str, say: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Make the first Ctrl-C stop the job, and the second one leave.

    What the first one asks for is done by the function that the body gets, not amid its output.
    """
    wanted = sent = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal wanted
        if wanted:
            raise KeyboardInterrupt
        wanted = True

    def stop_if_asked() -> None:
        nonlocal sent
        if not wanted or sent:
            return
        sent = True
        say(f"stopping {job}; Ctrl-C again leaves it to end by itself")
        try:
            app.call("sagemaker", "StopTrainingJob", TrainingJobName=job)
        except RemoteRefused as refused:
            say(refused.message)  # it has ended already

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop_if_asked
    finally:
        signal.signal(signal.SIGINT, before)
    if wanted:
        raise KeyboardInterrupt
