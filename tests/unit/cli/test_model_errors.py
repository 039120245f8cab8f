from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.cli.model_errors import failure_of, split, user_frames
from sagelet.errors import RemoteRefused

TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/conda/lib/python3.10/site-packages/sagemaker_inference/transformer.py", line 150, in transform
    result = self._run_handler_function(self._transform_fn, *(input_data, content_type, accept))
  File "/opt/ml/model/code/serve.py", line 17, in input_fn
    return torch.tensor(json.loads(request_body), dtyp=torch.float32)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/conda/lib/python3.10/site-packages/torch/functional.py", line 3, in tensor
    raise TypeError(
TypeError: tensor() got an unexpected keyword argument 'dtyp'"""  # noqa: E501  as Python wrote it

USERS = """\
Traceback (most recent call last):
  File "/opt/ml/model/code/serve.py", line 17, in input_fn
    return torch.tensor(json.loads(request_body), dtyp=torch.float32)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
TypeError: tensor() got an unexpected keyword argument 'dtyp'"""

MESSAGE = "tensor() got an unexpected keyword argument 'dtyp'"


def refused(said: str, status: int = 500, **headers: str) -> RemoteRefused:
    return RemoteRefused(
        "InvokeEndpoint",
        "ModelError",
        f'Received server error ({status}) from primary with message "{said[:9]}". See https://x.',
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        members={"OriginalStatusCode": status, "OriginalMessage": said},
    )


def test_a_handlers_error_names_the_handler_and_its_place(tmp_path: Path) -> None:
    where = str(tmp_path / "serve.py:17")
    error = refused(f"{MESSAGE}\n{TRACEBACK}", x_sagelet_handler="input_fn", x_sagelet_where=where)

    failure = failure_of(error)

    assert failure is not None
    assert failure.sentence() == (f"input_fn failed at {where} (status 500): {MESSAGE}\n{USERS}")
    assert (failure.file, failure.line) == (str(tmp_path / "serve.py"), 17)
    assert "breakpoint() before line 17" in failure.hint


def test_a_place_below_the_current_folder_is_shown_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failure = failure_of(
        refused("no", x_sagelet_handler="predict_fn", x_sagelet_where=f"{tmp_path}/serve.py:3")
    )
    assert failure is not None
    assert failure.sentence() == "predict_fn failed at serve.py:3 (status 500): no"


def test_without_our_headers_the_models_own_words_are_shown() -> None:
    failure = failure_of(refused(f"{MESSAGE}\n{TRACEBACK}"))
    assert failure is not None
    assert failure.sentence() == f"the model answered 500: {MESSAGE}\n{USERS}"


def test_a_model_servers_json_error_is_its_message() -> None:
    body = '{\n  "code": 500,\n  "type": "InternalServerException",\n  "message": "Worker died."\n}'
    failure = failure_of(refused(body))
    assert failure is not None
    assert failure.message == "Worker died."
    assert "sagelet logs" in failure.hint


@pytest.mark.parametrize(
    ("status", "word"), [(0, "limit"), (406, "--accept"), (415, "--content-type"), (507, "memory")]
)
def test_a_status_has_its_own_next_step(status: int, word: str) -> None:
    failure = failure_of(refused("no", status))
    assert failure is not None
    assert word in failure.hint


def test_a_refusal_of_another_kind_is_no_models() -> None:
    assert failure_of(RemoteRefused("InvokeEndpoint", "ValidationError", "no")) is None


def test_frames_of_installed_packages_are_left_out() -> None:
    assert user_frames(TRACEBACK) == USERS


def test_a_traceback_without_a_frame_of_the_users_stays_whole() -> None:
    foreign = TRACEBACK.replace("/opt/ml/model/code", "/usr/lib/python3.11/json")
    assert user_frames(foreign) == foreign


def test_a_message_of_several_lines_ends_where_the_traceback_begins() -> None:
    assert split(f"one\ntwo\n{USERS}\n") == ("one\ntwo", USERS)
    assert split("only a message") == ("only a message", "")
