from __future__ import annotations

import json
from datetime import datetime
from queue import SimpleQueue
from typing import Any

import pytest

from sagelet.cli.calls import Reply
from sagelet.cli.dev.console import Console
from sagelet.cli.dev.messages import (
    Counted,
    Happened,
    Logged,
    Lost,
    Message,
    Noted,
    Pressed,
    Tried,
)
from sagelet.cli.dev.rate import Rate, status_line
from sagelet.cli.dev.session import Session, Trial
from sagelet.cli.output import Output
from sagelet.errors import RemoteRefused, RemoteUnreachable

AT = "2026-01-02T03:04:05.678901+00:00"
CLOCK = f"{datetime.fromisoformat(AT).astimezone():%H:%M:%S}"


class Endpoint:
    """An endpoint that serves when it is told to."""

    def __init__(self, *, serves: bool = True) -> None:
        self.serves = serves
        self.renewed = 0

    def is_in_service(self) -> bool:
        return self.serves

    def browse(self) -> str:
        return "opened the page"

    def renew(self) -> None:
        self.renewed += 1
        raise RemoteRefused("UpdateEndpoint", "ValidationException", "it has failed")


class Dev:
    """A session with what it says."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> None:
        output = Output()
        output.json = as_json
        self.endpoint = Endpoint()
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self._capsys = capsys
        self.session = Session(
            "line-fit",
            self.endpoint,
            Console(output),
            self.messages,
            tips=["sagelet invoke line-fit -d '[[0.5]]'"],
            trial=Trial("a.json", lambda: Reply(b"[1]\n", 2.5)),
        )

    def says(self, *messages: Message) -> str:
        for message in messages:
            assert self.session.take(message)
        return self._capsys.readouterr().out


@pytest.fixture
def dev(capsys: pytest.CaptureFixture[str]) -> Dev:
    return Dev(capsys)


def test_once_it_serves_there_is_a_line_to_copy(dev: Dev) -> None:
    dev.session.begin("", 0.41)
    assert dev.says() == ("line-fit serves after 0.41 s\n  sagelet invoke line-fit -d '[[0.5]]'\n")


def test_a_folder_that_does_not_load_is_waited_for_and_served_when_repaired(dev: Dev) -> None:
    dev.endpoint.serves = False
    dev.session.begin("AllTraffic: loading serve.py failed at serve.py:3: NameError: x", 0.2)
    said = dev.says(Happened(AT, "serve.py still fails", is_problem=True))
    assert "line-fit does not serve yet: AllTraffic: loading serve.py failed" in said
    assert "waiting for an edit" in said
    assert f"{CLOCK} serve.py still fails" in said
    assert "sagelet invoke" not in said

    dev.endpoint.serves = True
    said = dev.says(Happened(AT, "in service after an edit", is_problem=False))
    assert said == (
        f"{CLOCK} in service after an edit\nline-fit serves\n"
        "  sagelet invoke line-fit -d '[[0.5]]'\n"
    )
    assert "serves" not in dev.says(Happened(AT, "reloaded serve.py", is_problem=False))


def test_a_refused_edit_is_shown_with_the_users_frames_only(dev: Dev) -> None:
    dev.session.begin("", 0.1)
    dev.says()
    text = (
        "serve.py is not served: KeyError: 'hello'\n"
        "Traceback (most recent call last):\n"
        '  File "/usr/lib/python3.11/site-packages/sagelet/worker/load.py", line 3, in load\n'
        "    import_module(name)\n"
        '  File "/home/ada/serve.py", line 7, in <module>\n'
        '    GREETING = {}["hello"]\n'
        "KeyError: 'hello'"
    )
    assert dev.says(Happened(AT, text, is_problem=True)) == (
        f"{CLOCK} serve.py is not served: KeyError: 'hello'\n"
        "Traceback (most recent call last):\n"
        '  File "/home/ada/serve.py", line 7, in <module>\n'
        '    GREETING = {}["hello"]\n'
        "KeyError: 'hello'\n"
    )


def test_log_lines_are_shown_until_a_key_turns_them_off(dev: Dev) -> None:
    assert dev.says(Logged("hello")) == "  hello\n"
    assert dev.says(Pressed("l"), Logged("hello")) == "log lines off\n"
    assert dev.says(Pressed("l"), Logged("hello")) == "log lines on\n  hello\n"


def test_what_a_handler_prints_cannot_drive_the_terminal(dev: Dev) -> None:
    assert dev.says(Logged("\x1b]0;owned\x07\x1b[2Jhello")) == "  hello\n"


def test_the_test_payload_is_sent_and_its_answer_shown(dev: Dev) -> None:
    dev.says(Pressed("t"))
    tried = dev.messages.get(timeout=10)
    assert dev.says(tried) == "a.json: 2.5 ms\n  [1]\n"


def test_a_test_that_fails_shows_the_handlers_error(dev: Dev) -> None:
    refused = RemoteRefused(
        "InvokeEndpoint",
        "ModelError",
        "Received",
        headers={"x-sagelet-handler": "input_fn", "x-sagelet-where": "/p/serve.py:17"},
        members={"OriginalStatusCode": 500, "OriginalMessage": "no"},
    )
    assert dev.says(Tried("a.json", refused)) == (
        "a.json: input_fn failed at /p/serve.py:17 (status 500): no\n"
    )


def test_a_reload_that_is_refused_is_told(dev: Dev) -> None:
    assert dev.says(Pressed("r")) == "loading anew in fresh workers\n"
    noted = dev.messages.get(timeout=10)
    assert isinstance(noted, Noted)
    assert "it has failed" in dev.says(noted)
    assert dev.endpoint.renewed == 1


def test_b_shows_its_page(dev: Dev) -> None:
    assert dev.says(Pressed("b")) == ""
    assert dev.says(dev.messages.get(timeout=10)) == "opened the page\n"


def test_q_ends_it_and_other_keys_do_nothing(dev: Dev) -> None:
    assert dev.says(Pressed("x")) == ""
    dev.messages.put(Logged("one"))
    dev.messages.put(Pressed("q"))
    dev.messages.put(Logged("two"))
    dev.session.run()
    assert dev.says() == "  one\n"


def test_a_daemon_that_has_gone_is_an_error(dev: Dev) -> None:
    with pytest.raises(RemoteUnreachable):
        dev.session.take(Lost(RemoteUnreachable(address="http://127.0.0.1:1")))


def test_with_json_every_event_and_line_is_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    dev = Dev(capsys, as_json=True)
    dev.session.begin("", 0.1)
    said = dev.says(Happened(AT, "reloaded", is_problem=False), Logged("hello"))
    assert [json.loads(line) for line in said.splitlines()] == [
        {"event": "line-fit serves after 0.10 s", "is_problem": False},
        {"at": AT, "event": "reloaded", "is_problem": False},
        {"log": "hello"},
    ]


def facts(requests: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    worker = {"pid": 1, "generation": 3, "is_busy": False}
    variant = {
        "variant": "AllTraffic",
        "generation": 3,
        "contract": "sane",
        "is_parked": False,
        "waiting": 0,
        "workers": [worker, worker],
        "requests": requests,
        "errors": 0,
        "latency_ms": {"p50": 1.25, "p90": 2.0, "p99": 3.0},
        "phases_ms": {},
        "differs": {},
    }
    return {"endpoint": "line-fit", "variants": [variant | changes], "port": None}


def test_requests_a_second_come_from_a_counter() -> None:
    now = 0.0
    rate = Rate(lambda: now)
    for moment, requests in ((0.0, 100), (1.0, 200), (2.0, 300), (3.0, 0)):
        now = moment
        rate.count(facts(requests))
    assert rate.per_second == pytest.approx(37.5)  # 50, 75, and nothing from fresh workers


def test_the_status_line_has_load_latency_and_keys() -> None:
    rate = Rate()
    assert status_line(facts(7), rate, can_test=True, shows_log=True) == (
        "line-fit · generation 3 · 2 workers · 0 req/s · p50 1.2 ms   "
        "[b]rowser [r]eload [t]est [l]og off [q]uit"
    )
    line = status_line(
        facts(0, latency_ms={}, errors=2, waiting=3, is_parked=True),
        rate,
        can_test=False,
        shows_log=False,
    )
    assert line == (
        "line-fit · generation 3 · parked · 0 req/s · 3 waiting · 2 failed   "
        "[b]rowser [r]eload [l]og on [q]uit"
    )


def test_off_a_terminal_there_is_no_status_line(dev: Dev) -> None:
    assert dev.says(Counted(facts(1))) == ""
