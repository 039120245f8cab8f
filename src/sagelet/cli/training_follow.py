"""Following a training job to its end on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagelet.cli.context import App
from sagelet.cli.stopping import stopping_on_interrupt


def follow(app: App, job: str) -> Mapping[str, Any]:
    """Show a job until it has ended; return its description.

    Raises:
        KeyboardInterrupt: Ctrl-C stopped it, or ended the following.
    """
    from sagelet.cli.jobs.looks import looks_at
    from sagelet.cli.training_view import view_for

    view = view_for(app.output)
    description: Mapping[str, Any] = {}
    try:
        with stopping_on_interrupt(app, job, view.say) as stop_if_asked:
            is_local = app.deploy_env().is_local()
            looks = looks_at(app.call, job, is_local=is_local, with_metrics=app.output.is_live)
            for look in looks:
                view.show(look)
                description = look.description
                stop_if_asked()
    finally:
        view.close()
    return description
