"""A model's error with the user's own frames, and where the time of a run went."""

from __future__ import annotations

import pytest

from sagelet.domain.invocation import UNTIMED, Timing
from sagelet.web.results.failure import failure, folded
from sagelet.web.results.waterfall import waterfall

SAID = """\
could not read it
Traceback (most recent call last):
  File "/home/me/project/serve.py", line 12, in predict_fn
    return model(data)
  File "/venv/lib/python3.11/site-packages/torch/nn/module.py", line 1, in _call
    return forward()
           ^^^^^^^^^
  File "/venv/lib/python3.11/site-packages/torch/nn/linear.py", line 2, in forward
    x @ w
  File "/home/me/project/model.py", line 3, in hook
    raise ValueError("no")
ValueError: no
"""


def test_the_users_frames_are_shown_and_those_of_libraries_folded() -> None:
    found = failure(500, SAID.encode(), handler="predict_fn", where="/home/me/project/model.py:3")
    assert (found.message, found.handler) == ("could not read it", "predict_fn")
    assert [(part.is_library, part.count) for part in found.frames] == [
        (False, 1),
        (True, 2),
        (False, 1),
    ]
    assert "linear.py" in found.frames[1].text
    assert found.frames[2].text.endswith("ValueError: no")


def test_a_message_has_the_name_of_its_error() -> None:
    said = '0\nTraceback (most recent call last):\n  File "serve.py", line 1, in f\nKeyError: 0'
    assert failure(500, said.encode()).message == "KeyError: 0"


def test_frames_of_libraries_alone_are_all_shown() -> None:
    lines = 'Traceback (most recent call last):\n  File "/usr/lib/python3.11/json.py", line 1, in f'
    assert [part.is_library for part in folded(lines)] == [False, False]


def test_nothing_of_a_traceback_is_lost() -> None:
    traceback = SAID.partition("\n")[2].rstrip()
    assert "\n".join(part.text for part in folded(traceback)) == traceback


def test_the_model_servers_own_error_is_its_message() -> None:
    body = b'{\n  "code": 507,\n  "type": "InternalServerException",\n  "message": "It died."\n}'
    found = failure(507, body)
    assert (found.message, found.frames) == ("It died.", ())
    assert "memory" in found.hint


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [
        (0, "", "did not answer in time"),
        (415, "Unsupported", "content type"),
        (500, "json.decoder.JSONDecodeError: Expecting value", "no JSON"),
        (500, "RuntimeError: mat1 and mat2 shapes cannot be multiplied", "shape"),
        (500, "Object of type Tensor is not JSON serializable", "tolist"),
        (500, "something else", ""),
    ],
)
def test_a_hint_is_given_where_one_fits(status: int, said: str, hint: str) -> None:
    found = failure(status, said.encode()).hint
    assert hint in found
    assert bool(hint) == bool(found)


def test_bytes_that_are_no_text_are_an_error_too() -> None:
    found = failure(500, b"\xff\xfe" * 100_000, sent=b"\x00\xff" * 10_000)
    assert len(found.message) <= 4000
    assert len(found.sent) <= 600


def test_what_no_step_took_is_overhead_and_the_steps_fill_the_whole() -> None:
    found = waterfall(Timing(2.0, {"input_fn": 1.0, "predict_fn": 5.0}, 10.0))
    assert [(step.name, step.start_ms, step.ms) for step in found.steps] == [
        ("queue", 0.0, 2.0),
        ("input_fn", 2.0, 1.0),
        ("predict_fn", 3.0, 5.0),
        ("overhead", 8.0, 2.0),
    ]
    assert sum(step.width for step in found.steps) == pytest.approx(100)


def test_steps_that_took_longer_than_the_whole_still_fit() -> None:
    found = waterfall(Timing(0.0, {"predict_fn": 12.0}, 10.0))
    assert max(step.start + step.width for step in found.steps) <= 100.001
    assert found.steps[-1].ms == 0


def test_a_run_that_was_not_timed_has_no_steps() -> None:
    assert waterfall(UNTIMED).steps == ()
