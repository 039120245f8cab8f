from __future__ import annotations

from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from sagelet.cli.dev.feed import Feed
from sagelet.cli.dev.messages import Counted, Happened, Logged, Lost, Message, Messages
from sagelet.errors import RemoteUnreachable, SageletError

FACTS: dict[str, Any] = {"endpoint": "e", "variants": [], "port": None}


class ScriptedApi:
    """The daemon's events, as a test writes them; `error` ends it."""

    def __init__(self) -> None:
        self.happened: list[dict[str, Any]] = []
        self.error: SageletError | None = None

    def add(self, text: str, *, is_problem: bool = False) -> None:
        event = {
            "number": len(self.happened) + 1,
            "at": "2026-01-02T03:04:05+00:00",
            "endpoint": "e",
            "variant": "v",
            "text": text,
            "is_problem": is_problem,
        }
        self.happened.append(event)

    def endpoint(self, name: str) -> Mapping[str, Any] | None:
        return FACTS if name == "e" else None

    def events(
        self, after: int, *, endpoint: str | None = None, wait_s: float = 0
    ) -> Mapping[str, Any]:
        if self.error is not None:
            raise self.error
        newer = [event for event in self.happened if event["number"] > after]
        return {"events": newer, "last": len(self.happened)}


def drained(messages: Messages) -> list[Message]:
    found = []
    while not messages.empty():
        found.append(messages.get())
    return found


def test_what_happened_before_is_not_told() -> None:
    api, messages = ScriptedApi(), SimpleQueue[Message]()
    api.add("created")
    feed = Feed(api, "e", messages, lambda: [])
    api.add("reloaded serve.py in 30 ms (model kept)")
    feed.look()
    feed.look()
    assert drained(messages) == [
        Happened(
            "2026-01-02T03:04:05+00:00",
            "reloaded serve.py in 30 ms (model kept)",
            is_problem=False,
        )
    ]


def test_a_log_line_that_repeats_a_note_is_left_out_once() -> None:
    api, messages = ScriptedApi(), SimpleQueue[Message]()
    lines: list[list[str]] = []
    feed = Feed(api, "e", messages, lambda: lines.pop(0))
    api.add("serve.py is not served\nSyntaxError: no", is_problem=True)
    lines.append(["serve.py is not served", "SyntaxError: no", "hello"])
    feed.look()
    lines.append(["SyntaxError: no"])
    feed.look()
    told = drained(messages)
    assert [type(message) for message in told] == [Happened, Logged, Logged]
    assert told[1:] == [Logged("hello"), Logged("SyntaxError: no")]


def test_a_note_that_comes_after_its_log_line_was_fetched_still_covers_it() -> None:
    api, messages = ScriptedApi(), SimpleQueue[Message]()

    def lines() -> list[str]:
        api.add("reloaded")  # between the two fetches
        return ["reloaded"]

    Feed(api, "e", messages, lines).look()
    assert [type(message) for message in drained(messages)] == [Happened]


def test_facts_are_handed_on() -> None:
    api, messages = ScriptedApi(), SimpleQueue[Message]()
    Feed(api, "e", messages, lambda: []).count()
    assert drained(messages) == [Counted(FACTS)]


def test_a_daemon_that_has_gone_ends_the_feed() -> None:
    api, messages = ScriptedApi(), SimpleQueue[Message]()
    feed = Feed(api, "e", messages, lambda: [])
    api.error = RemoteUnreachable(address="http://127.0.0.1:1")
    feed.start()
    lost = messages.get(timeout=10)
    assert isinstance(lost, Lost)
    assert lost.error is api.error
