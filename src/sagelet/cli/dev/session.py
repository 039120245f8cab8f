"""The loop of `sagelet dev`: one message after the other, until the person has had enough."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, assert_never

from sagelet.cli.calls import Reply
from sagelet.cli.dev.console import Console
from sagelet.cli.dev.messages import (
    Counted,
    Happened,
    Logged,
    Lost,
    Message,
    Messages,
    Noted,
    Pressed,
    Tried,
)
from sagelet.cli.dev.rate import Rate, status_line
from sagelet.cli.failures import message_of
from sagelet.cli.model_errors import split, user_frames
from sagelet.errors import SageletError

_SHOWN_CHARACTERS = 400


class Serves(Protocol):
    """The endpoint, as the loop needs it."""

    def is_in_service(self) -> bool:
        """Tell whether it serves."""
        ...

    def renew(self) -> None:
        """Start fresh workers."""
        ...

    def browse(self) -> str:
        """Show its page in a browser; return what to say of it."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A payload of the project's, and how to send it."""

    name: str
    send: Callable[[], Reply]


class Session:
    """Shows what happens to an endpoint, and does what keys ask for."""

    def __init__(
        self,
        endpoint: str,
        served: Serves,
        console: Console,
        messages: Messages,
        *,
        tips: Sequence[str],
        trial: Trial | None = None,
        shows_log: bool = True,
    ) -> None:
        """`tips` are shown whenever the endpoint comes into service."""
        self._endpoint = endpoint
        self._served = served
        self._console = console
        self._messages = messages
        self._tips = tips
        self._trial = trial
        self._shows_log = shows_log
        self._serves = False
        self._rate = Rate()

    def run(self) -> None:
        """Go on until `q`.

        Raises:
            SageletError: the daemon has gone.
        """
        while self.take(self._messages.get()):
            pass

    def begin(self, problem: str, seconds: float) -> None:
        """Say that it serves, or why it does not yet."""
        if problem and not self._served.is_in_service():
            self._say_problem(f"{self._endpoint} does not serve yet: {problem}")
            self._console.line("waiting for an edit that repairs it", dim=True)
        else:
            self._say_ready(f"{self._endpoint} serves after {seconds:.2f} s")

    def take(self, message: Message) -> bool:
        """Act on one message; False ends the loop."""
        match message:
            case Happened():
                self._happened(message)
            case Logged(text):
                if self._shows_log and not self._console.record(log=text):
                    self._console.line(f"  {text}", dim=True)
            case Counted(facts):
                self._counted(facts)
            case Pressed(key):
                return self._pressed(key)
            case Tried():
                self._tried(message)
            case Noted(text, is_problem):
                self._console.line(text, style="red" if is_problem else None)
            case Lost(error):
                raise error
            case _:
                assert_never(message)
        return True

    def _happened(self, happened: Happened) -> None:
        facts = {"at": happened.at, "event": happened.text, "is_problem": happened.is_problem}
        if not self._console.record(**facts):
            at = datetime.fromisoformat(happened.at).astimezone()
            text = f"{at:%H:%M:%S} {happened.text}"
            self._say_problem(text) if happened.is_problem else self._console.line(text)
        if not self._serves and self._served.is_in_service():
            self._say_ready(f"{self._endpoint} serves")

    def _say_ready(self, text: str) -> None:
        self._serves = True
        if self._console.record(event=text, is_problem=False):
            return
        self._console.line(text, style="green")
        for tip in self._tips:
            self._console.line(f"  {tip}")

    def _say_problem(self, text: str) -> None:
        """Write the error in red, and below it the user's own frames."""
        message, traceback = split(text)
        self._console.line(message, style="red")
        if traceback:
            self._console.line(user_frames(traceback))

    def _counted(self, facts: Mapping[str, Any]) -> None:
        self._rate.count(facts)
        can_test = self._trial is not None
        self._console.status(
            status_line(facts, self._rate, can_test=can_test, shows_log=self._shows_log)
        )

    def _pressed(self, key: str) -> bool:
        if key == "r":
            self._console.line("loading anew in fresh workers", dim=True)
            self._in_background(self._served.renew)
        elif key == "t" and self._trial is not None:
            trial = self._trial
            self._in_background(lambda: self._try(trial))
        elif key == "b":
            self._in_background(lambda: self._messages.put(Noted(self._served.browse())))
        elif key == "l":
            self._shows_log = not self._shows_log
            self._console.line(f"log lines {'on' if self._shows_log else 'off'}", dim=True)
        return key != "q"

    def _try(self, trial: Trial) -> None:
        try:
            self._messages.put(Tried(trial.name, trial.send()))
        except SageletError as error:
            self._messages.put(Tried(trial.name, error))

    def _tried(self, tried: Tried) -> None:
        match tried.outcome:
            case Reply() as reply:
                body = reply.body.decode("utf-8", "replace")
                shown = body if len(body) <= _SHOWN_CHARACTERS else f"{body[:_SHOWN_CHARACTERS]}…"
                self._console.line(f"{tried.payload}: {reply.ms:.1f} ms", style="green")
                self._console.line(f"  {shown.rstrip()}")
            case error:
                self._say_problem(f"{tried.payload}: {message_of(error)}")

    def _in_background(self, work: Callable[[], None]) -> None:
        """Do something that takes a while; the loop goes on."""

        def run() -> None:
            try:
                work()
            except SageletError as error:
                self._messages.put(Noted(message_of(error), is_problem=True))

        threading.Thread(target=run, daemon=True).start()
