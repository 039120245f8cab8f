"""What strangers are told of errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from starlette.exceptions import HTTPException

from sagelet.errors import EndpointNotInService, QueueFull, StateError
from sagelet.web.faults import Refused
from sagelet.web.public.answers import CANNOT, problem_for_strangers, said_to_strangers
from sagelet.web.runs import Payload, Run
from sagelet.wire.faults import Fault

AT = datetime(2026, 1, 2, tzinfo=UTC)


def a_run(status: int, body: str) -> Run:
    return Run("01", "texts", AT, Payload(b""), status, body.encode(), "text/plain")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("the text is empty", "the text is empty"),
        ("no such file: /home/me/project/words.txt!", "no such file: …!"),
        ("in code/inference.py:12 it broke", "in … it broke"),
        ("cannot load C:\\models\\a.pt now", "cannot load … now"),
        ("see https://internal.example/x?token=1 now", "see … now"),
        ("s3://bucket/key/model.tar.gz is gone", "… is gone"),
        ("give 3/4 of it, and/or text/csv", "give 3/4 of it, and/or text/csv"),
        ("send application/json, not */*", "send application/json, not */*"),
        ('bad\nTraceback (most recent call last):\n  File "/x/y.py", line 1\nSecret', "bad"),
        ('bad\n  File "/x/y.py", line 1, in f\n    secret', "bad"),
        ("bad\n  + Exception Group Traceback (most recent call last):\n  | File", "bad"),
        (json.dumps({"code": 400, "type": "x", "message": "no text in /a/b"}), "no text in …"),
        ('Traceback (most recent call last):\n  File "/x/y.py", line 1\nE', CANNOT),
        ("", CANNOT),
        ("x" * 9000, "x" * 499 + "…"),
    ],
)
def test_a_refusal_is_passed_on_without_paths_and_tracebacks(said: str, told: str) -> None:
    assert said_to_strangers(a_run(400, said)) == told


@pytest.mark.parametrize("status", [0, 500, 503, 507, 302])
def test_of_any_other_error_nothing_is_told(status: int) -> None:
    assert said_to_strangers(a_run(status, "secret")) == CANNOT


def test_errors_of_ours_name_nothing() -> None:
    for error, status, says in (
        (EndpointNotInService(name="hidden", account_id="1"), 404, "there is no such model"),
        (QueueFull(endpoint="hidden", waiting=3), 503, "too many requests wait"),
        (StateError(path="/home/hidden", problem="hidden"), 500, CANNOT),
    ):
        problem = problem_for_strangers(error)
        assert problem.status == status
        assert problem.detail.startswith(says)
        assert "hidden" not in str(problem.document())


def test_what_is_wrong_with_the_request_itself_is_told() -> None:
    too_large = Fault(code="RequestTooLarge", status=413, message="over 10 bytes")
    assert problem_for_strangers(too_large).detail == "over 10 bytes"
    assert problem_for_strangers(Refused(403, "a request from another site")).status == 403
    assert problem_for_strangers(HTTPException(405)).status == 405
