"""The words for what went wrong."""

from __future__ import annotations

import json
import signal

import pytest

from sagelet.errors import ModelDataMissing, WorkerStartFailed
from sagelet.hosting import failures

PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


def a_failure(**facts: str) -> WorkerStartFailed:
    return WorkerStartFailed(what="loading inference.py", **facts)  # type: ignore[arg-type]  # texts


def test_the_reason_is_awss_sentence_then_the_users_error_its_place_and_its_traceback() -> None:
    error = a_failure(error="ValueError: no", where="/p/inference.py:3", traceback="Traceback …\n")
    reason = failures.failure_reason("AllTraffic", error)
    assert reason == f"ValueError: no at /p/inference.py:3\nTraceback …\n{PING}"


def test_what_to_do_about_it_follows_the_error() -> None:
    error = a_failure(error="E: x", where="/i.py:1", advice="map it", traceback="Traceback …")
    reason = failures.failure_reason("AllTraffic", error)
    assert reason == f"E: x at /i.py:1\nhint: map it\nTraceback …\n{PING}"


def test_a_long_traceback_keeps_its_end_within_the_limit() -> None:
    error = a_failure(error="E: x", where="/i.py:1", traceback="a" * 5000 + "the end")
    reason = failures.failure_reason("AllTraffic", error)
    assert len(reason) == failures.REASON_LIMIT
    assert reason.startswith("E: x at /i.py:1\n...aaa")
    assert reason.endswith(f"the end\n{PING}")


def test_a_long_error_is_cut() -> None:
    reason = failures.failure_reason("AllTraffic", a_failure(error="E: " + "x" * 5000))
    assert len(reason) == failures.REASON_LIMIT
    assert reason.endswith(f"xxx\n{PING}")


def test_a_worker_that_ended_without_a_word_says_how_and_its_last_lines() -> None:
    error = WorkerStartFailed(what="x", exit_code=-signal.SIGSEGV, log_tail="last line")
    reason = failures.failure_reason("AllTraffic", error)
    assert reason == f"the worker was killed by SIGSEGV\nlast line\n{PING}"


def test_of_a_crashs_stacks_the_users_frames_are_shown() -> None:
    tail = """before
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/p/inference.py", line 4 in model_fn
  File "/home/me/pythonpath/sagelet/worker/serving/loading.py", line 53 in load
  File "<frozen runpy>", line 88 in _run_code

Extension modules: numpy._core._multiarray_umath, torch._C (total: 2)"""
    error = WorkerStartFailed(what="x", exit_code=-signal.SIGSEGV, log_tail=tail)
    assert failures.failure_reason("AllTraffic", error).splitlines() == [
        "the worker was killed by SIGSEGV",
        "Fatal Python error: Segmentation fault",
        "Current thread 0x00007f (most recent call first):",
        '  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at',
        '  File "/p/inference.py", line 4 in model_fn',
        PING,
    ]


def test_any_other_error_speaks_for_itself() -> None:
    reason = failures.failure_reason("AllTraffic", ModelDataMissing(uri="s3://b/k"))
    assert reason == "Could not find model data at s3://b/k."


def test_the_text_of_a_header_is_one_short_line_of_ascii() -> None:
    text = failures.header_text(
        a_failure(error="ValueError: hä\nsecond " + "x" * 500, where="/i.py:1")
    )
    assert text.startswith("ValueError: h\\xe4 second xxx")
    assert len(text) == failures.HEADER_LIMIT
    assert text.isascii()


@pytest.mark.parametrize(
    ("exit_code", "status", "cause"),
    [
        (1, 500, "ended with exit code 1"),
        (0, 500, "ended with exit code 0"),
        (137, 507, "ended with exit code 137"),
        (-9, 507, "was killed by SIGKILL (the system may have run out of memory)"),
        (-11, 500, "was killed by SIGSEGV"),
        (-250, 500, "was killed by signal 250"),
    ],
)
def test_a_death_has_a_status_and_a_cause(exit_code: int, status: int, cause: str) -> None:
    assert failures.status_of_death(exit_code) == status
    assert failures.cause_of_death(exit_code) == cause


def test_error_bodies_are_the_model_servers() -> None:
    body = failures.server_error(500, "Worker died.")
    assert body.endswith(b"\n}\n")
    assert json.loads(body) == {
        "code": 500,
        "type": "InternalServerException",
        "message": "Worker died.",
    }
