"""One request through the handlers, as the inference contract has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.serving.answers import culprit
from tests.serving_projects import ECHO, Project, serving

SHOW = """
    def model_fn(model_dir):
        return None
    def transform_fn(model, data, content_type, accept):
        return repr((type(data).__name__, content_type, accept))
"""


def a_transform(body: str) -> dict[str, str]:
    lines = "\n".join("        " + line for line in body.splitlines())
    head = "    def model_fn(model_dir):\n        return None\n"
    arguments = "model, data, content_type, accept, context"
    return {"inference.py": f"{head}    def transform_fn({arguments}):\n{lines}\n"}


def answered(
    tmp_path: Path,
    source: str,
    *,
    contract: str = "sane",
    body: bytes = b"hello",
    content_type: str | None = "text/plain",
    accept: str | None = None,
) -> tuple[dict[str, Any], bytes]:
    with serving(tmp_path, a_transform(source), contract=contract) as project:
        return project.ask(body, content_type, accept)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", "str"),
        ("text/csv", "str"),
        ("application/x-npy", "bytearray"),
        (None, "bytearray"),
    ],
)
def test_the_body_is_text_for_json_and_csv_only(
    tmp_path: Path, content_type: str | None, kind: str
) -> None:
    with serving(tmp_path, {"inference.py": SHOW}) as project:
        _, body = project.ask(b"[1]", content_type)
    assert body.decode() == repr((kind, content_type, "application/json"))


def test_parameters_and_case_of_media_types_do_not_matter_when_sane(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": SHOW}) as project:
        header, body = project.ask(b"[1]", "Application/JSON; charset=utf-8", "text/CSV;q=0.9")
    assert body.decode() == repr(("str", "application/json", "text/csv"))
    assert header["content_type"] == "text/csv"


def test_media_types_are_passed_on_as_they_came_when_strict(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": SHOW}, contract="strict") as project:
        header, body = project.ask(b"[1]", "application/json; charset=utf-8", "text/csv;q=0.9")
    asked = ("bytearray", "application/json; charset=utf-8", "text/csv;q=0.9")
    assert body.decode() == repr(asked)
    assert header["content_type"] == "text/csv;q=0.9"


@pytest.mark.parametrize("accept", [None, "", "*/*"])
def test_the_default_accept_comes_from_the_environment(tmp_path: Path, accept: str | None) -> None:
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    with serving(tmp_path, {"inference.py": SHOW}, environment=environment) as project:
        header, body = project.ask(b"[1]", "text/csv", accept)
    assert body.decode() == repr(("str", "text/csv", "text/csv"))
    assert header["content_type"] == "text/csv"


def test_several_accepted_types_label_a_bare_result_with_the_best_when_sane(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": SHOW}) as project:
        header, body = project.ask(b"[1]", None, "text/html;q=0.5, application/json")
    assert header["content_type"] == "application/json"
    assert "text/html;q=0.5, application/json" in body.decode()


def test_a_tuple_brings_its_own_content_type(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "return 'a', 'text/plain', 'ignored'")
    assert (header["content_type"], body) == ("text/plain", b"a")


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        ("'ä'", "ä".encode()),
        ("b'\\x00'", b"\x00"),
        ("bytearray(b'x')", b"x"),
        ("{'a': [1]}", json.dumps({"a": [1]}, indent=2).encode()),
        ("None", b"null"),
    ],
)
def test_a_result_is_sent_as_the_model_server_does(
    tmp_path: Path, result: str, sent: bytes
) -> None:
    assert answered(tmp_path, f"return {result}")[1] == sent


def test_a_result_that_json_cannot_hold_is_named(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "return {'a': [1, {2}]}")
    assert header["status"] == 503
    assert json.loads(body) == {
        "code": 503,
        "type": "InternalServerException",
        "message": "Unsupported model output data type. (set at result['a'][1])",
    }


def test_the_strict_text_for_such_a_result_is_the_model_servers(tmp_path: Path) -> None:
    _, body = answered(tmp_path, "return {1, 2}", contract="strict")
    assert json.loads(body)["message"] == "Unsupported model output data type."


def test_a_key_that_json_cannot_hold_is_named() -> None:
    assert culprit({"a": {(1, 2): 3}}) == "a key of type tuple in the result['a']"


def test_a_handlers_error_is_a_500_that_begins_with_its_message(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "raise ValueError('no text given')")
    text = body.decode()
    assert header["status"] == 500
    assert header["content_type"] is None
    assert text.startswith("no text given\nTraceback (most recent call last):\n")
    assert text.endswith("ValueError: no text given\n")
    assert header["handler"] == "transform_fn"
    assert header["where"] == f"{tmp_path.resolve() / 'inference.py'}:4"
    assert header["error"] == "ValueError: no text given"


def test_the_traceback_shows_the_users_frames_and_none_of_ours(tmp_path: Path) -> None:
    body = answered(tmp_path, "raise ValueError('x')")[1].decode()
    assert "/sagelet/" not in body
    assert body.count("File ") == 1


def test_the_failing_handler_is_named(tmp_path: Path) -> None:
    source = ECHO.replace("return [str(data), model]", "return 1 / 0")
    with serving(tmp_path, {"inference.py": source}) as project:
        header, _ = project.ask()
    assert header["handler"] == "predict_fn"
    assert set(header["phases_ms"]) == {"input_fn", "predict_fn"}


def test_the_error_is_written_to_the_log_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(tmp_path, "raise ValueError('for the log')")
    assert "ValueError: for the log" in capsys.readouterr().err


def test_an_error_without_a_text_says_invalid_request(tmp_path: Path) -> None:
    assert answered(tmp_path, "raise ValueError")[1].startswith(b"Invalid Request\nTraceback")


def test_an_error_whose_text_cannot_be_had_is_still_answered(tmp_path: Path) -> None:
    body = "class E(Exception):\n    def __str__(self):\n        raise OSError('no')\nraise E"
    header, text = answered(tmp_path, body)
    assert header["status"] == 500
    assert b"its text is not available" in text


def test_text_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "raise ValueError('h\\u00e4 \\udc80')")
    assert header["status"] == 500
    assert body.decode().startswith("hä \\udc80\n")


def test_a_toolkit_error_chooses_the_status(tmp_path: Path) -> None:
    body = (
        "class BaseInferenceToolkitError(Exception):\n"
        "    __module__ = 'sagemaker_inference.errors'\n"
        "    status_code, message, phrase = 422, 'not like this', 'Unprocessable'\n"
        "raise BaseInferenceToolkitError()"
    )
    header, text = answered(tmp_path, body)
    assert header["status"] == 422
    assert text.startswith(b"not like this\nTraceback")


def test_sys_exit_in_a_handler_is_a_handlers_error(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "import sys\nsys.exit(3)")
    assert header["status"] == 500
    assert "SystemExit: 3" in body.decode()


def test_sys_exit_ends_the_worker_when_strict(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        answered(tmp_path, "import sys\nsys.exit(3)", contract="strict")


def test_status_and_headers_set_on_the_context_reach_the_answer(tmp_path: Path) -> None:
    body = (
        "context.set_response_status(201, 'Created')\n"
        "context.set_response_header(0, 'X-Kind', 'new')\n"
        "context.set_response_content_type(0, 'overwritten')\n"
        "return 'made'"
    )
    header, _ = answered(tmp_path, body, accept="text/plain")
    assert header["status"] == 201
    assert header["headers"] == {"X-Kind": "new"}
    assert header["content_type"] == "text/plain"


def test_one_requests_headers_are_not_the_nexts(tmp_path: Path) -> None:
    body = "if data:\n    context.set_response_header(0, 'X-Kind', 'new')\nreturn ''"
    with serving(tmp_path, a_transform(body)) as project:
        project.ask(b"x")
        header, _ = project.ask(b"")
    assert header["headers"] == {}


def test_a_body_that_is_not_utf8_is_an_answer_and_no_crash(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "return ''", body=b"\xff", content_type="application/json")
    assert header["status"] == 500
    assert b"UnicodeDecodeError" in body


def test_the_wrong_arity_is_a_500_with_the_toolkits_words(tmp_path: Path) -> None:
    source = ECHO.replace("def input_fn(body, content_type)", "def input_fn(body)")
    with serving(tmp_path, {"inference.py": source}) as project:
        header, body = project.ask()
    assert header["status"] == 500
    assert body.decode().startswith("input_fn takes 1 arguments but 2 were given.\n")


def test_an_unsupported_content_type_is_415_when_sane_and_500_when_strict(tmp_path: Path) -> None:
    def ask(project: Project) -> tuple[int, str]:
        header, body = project.ask(b"x", "application/octet-stream")
        return header["status"], body.decode()

    files = {"inference.py": "    def model_fn(model_dir):\n        return None\n"}
    with serving(tmp_path, files) as project:
        status, text = ask(project)
    assert status == 415
    first = "Content type application/octet-stream is not supported by this framework.\n\n"
    assert text.startswith(first + "            Please implement input_fn to to deserialize")
    with serving(tmp_path, files, contract="strict") as project:
        assert ask(project)[0] == 500


def test_an_unsupported_accept_is_406(tmp_path: Path) -> None:
    source = """
        def model_fn(model_dir): return None
        def input_fn(body, content_type): return body
        def predict_fn(data, model): return [1]
    """
    with serving(tmp_path, {"inference.py": source}) as project:
        header, body = project.ask(accept="image/png")
    assert header["status"] == 406
    assert body.startswith(b"Content type image/png is not supported")


def test_the_statuses_that_have_no_body_have_none(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "context.set_response_status(204)\nreturn 'lost'")
    assert (header["status"], body) == (204, b"")


def test_a_tuple_without_a_content_type_is_an_error(tmp_path: Path) -> None:
    header, body = answered(tmp_path, "return ('a',)")
    assert header["status"] == 500
    assert body.startswith(b"tuple index out of range\nTraceback")


def test_an_empty_content_type_stays_empty(tmp_path: Path) -> None:
    assert answered(tmp_path, "return 'a', ''")[0]["content_type"] == ""


@pytest.mark.parametrize("contract", ["sane", "strict"])
def test_content_type_and_headers_set_before_an_error_are_its_answers(
    tmp_path: Path, contract: str
) -> None:
    body = (
        "context.set_response_content_type(0, 'text/x-problem')\n"
        "context.set_response_header(0, 'X-Kind', 'old')\n"
        "raise ValueError('no')"
    )
    header, _ = answered(tmp_path, body, contract=contract)
    assert header["status"] == 500
    assert header["content_type"] == "text/x-problem"
    assert header["headers"] == {"X-Kind": "old"}


def test_the_limits_are_of_bodies_and_take_what_just_fits(tmp_path: Path) -> None:
    files = a_transform("return 'x' * len(data)")
    with serving(tmp_path, files, max_request_bytes=5, max_response_bytes=4) as project:
        assert project.ask(b"1234")[0]["status"] == 200
        assert project.ask(b"123456")[0]["status"] == 413
        header, body = project.ask(b"12345")
    assert (header["status"], header["handler"]) == (500, "transform_fn")
    assert body == b"The answer has 5 bytes; the limit is 4."


@pytest.mark.parametrize("contract", ["sane", "strict"])
def test_a_header_that_no_client_takes_is_an_error(tmp_path: Path, contract: str) -> None:
    body = "if data == b'type':\n    return 'x', 'y' * 9000\n"
    body += "context.set_response_header(0, 'X-Kind', 'y' * 9000)\nreturn 'x'"
    with serving(tmp_path, a_transform(body), contract=contract) as project:
        for asked, name in ((b"type", "content-type"), (b"header", "X-Kind")):
            header, said = project.ask(asked)
            assert (header["status"], header["handler"]) == (500, "transform_fn")
            first = said.decode().splitlines()[0]
            assert first == f"The header {name} has 9000 characters; at most 8192 are sent."


def test_a_stream_does_not_begin_with_a_header_that_no_client_takes(tmp_path: Path) -> None:
    body = "context.set_response_header(0, 'X-Kind', 'y' * 9000)\nyield 'x'"
    header, said = answered(tmp_path, body)
    assert (header["status"], "streamed" in header) == (500, False)
    assert said.startswith(b"The header X-Kind has 9000 characters")


def test_handlers_that_were_swapped_in_answer_the_next_request(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": ECHO}) as project:
        project.says()
        project.change("inference.py", "str(data)", "'new'")
        project.reload("inference.py")
        assert project.says() == "new model"
