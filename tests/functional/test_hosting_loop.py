"""A serving worker's loop, over a socket pair, in a thread of this process."""

from __future__ import annotations

import faulthandler
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sagelet.worker.frames import Frame, encode_frame, read_frame
from sagelet.worker.serving.loop import serve
from sagelet.worker.spec import ServeOrder
from tests.serving_projects import ECHO, an_order, write


class Talk:
    """The daemon's end of a worker that runs in a thread."""

    def __init__(self, order: ServeOrder) -> None:
        self.ours, self._theirs = socket.socketpair()
        self.ours.settimeout(10)
        self.exit_code: int | None = None
        self._thread = threading.Thread(target=self._serve, args=(order,))
        self._thread.start()

    def _serve(self, order: ServeOrder) -> None:
        with self._theirs:
            self.exit_code = serve(order, self._theirs)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.ours.sendall(encode_frame(header, body))

    def receive(self) -> Frame:
        frame = read_frame(self.ours)
        assert frame is not None
        return frame

    def ask(self, body: bytes = b"hello") -> Frame:
        self.send({"op": "invoke", "id": 1, "content_type": None, "accept": None}, body)
        return self.receive()

    def end(self) -> int | None:
        """Hang up, and return the worker's exit code."""
        self.ours.close()
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.exit_code


@pytest.fixture
def talks() -> Iterator[list[Talk]]:
    """Workers that a test has started; they are ended, and what they imported is forgotten."""
    before, enabled = set(sys.modules), faulthandler.is_enabled()
    begun: list[Talk] = []
    yield begun
    for talk in begun:
        talk.end()
    for name in set(sys.modules) - before:
        if name in ("inference", "clean") or name.startswith("sagemaker_inference"):
            del sys.modules[name]
    if not enabled:
        faulthandler.disable()


def test_a_worker_loads_says_so_answers_and_stops(tmp_path: Path, talks: list[Talk]) -> None:
    write(tmp_path, {"code/inference.py": ECHO})
    talk = Talk(an_order(tmp_path, generation=3))
    talks.append(talk)
    loaded = talk.receive().header
    assert (loaded["op"], loaded["generation"]) == ("loaded", 3)
    assert loaded["functions"] == ["model_fn", "input_fn", "predict_fn", "output_fn"]
    assert loaded["load_ms"] >= 0
    answer = talk.ask(b"a")
    assert answer.body == b"bytearray(b'a') model"
    assert answer.header["id"] == 1
    assert set(answer.header["phases_ms"]) == {"input_fn", "predict_fn", "output_fn"}
    talk.send({"op": "stop"})
    assert talk.end() == 0


def test_a_model_that_does_not_load_is_reported_and_ends_the_worker(
    tmp_path: Path, talks: list[Talk]
) -> None:
    write(tmp_path, {"code/inference.py": "def model_fn(model_dir):\n    raise ValueError('no')\n"})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    failed = talk.receive().header
    assert failed["op"] == "load_failed"
    assert failed["error"] == "ValueError: no"
    assert failed["where"] == f"{tmp_path.resolve()}/code/inference.py:2"
    assert talk.end() == 1


def test_sys_exit_while_loading_is_reported(tmp_path: Path, talks: list[Talk]) -> None:
    write(tmp_path, {"inference.py": "import sys\nsys.exit('not today')\n"})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    assert talk.receive().header["error"] == "SystemExit: not today"


def test_the_end_of_the_socket_ends_the_worker(tmp_path: Path, talks: list[Talk]) -> None:
    write(tmp_path, {"inference.py": ECHO})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    assert talk.end() == 0


def test_an_edit_is_prepared_and_committed_between_requests(
    tmp_path: Path, talks: list[Talk]
) -> None:
    write(tmp_path, {"inference.py": ECHO})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    write(tmp_path, {"inference.py": ECHO.replace("str(data)", "'new'")})
    talk.send({"op": "prepare", "generation": 2, "changed": [str(tmp_path / "inference.py")]})
    prepared = talk.receive().header
    assert (prepared["op"], prepared["model"]) == ("prepared", "kept")
    assert prepared["modules"] == ["inference"]
    assert talk.ask().body == b"bytearray(b'hello') model"
    talk.send({"op": "commit", "generation": 2})
    assert talk.receive().header == {"op": "committed", "generation": 2, "batches": False}
    assert talk.ask().body == b"new model"


def test_a_discarded_edit_is_forgotten(tmp_path: Path, talks: list[Talk]) -> None:
    write(tmp_path, {"inference.py": ECHO})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    write(tmp_path, {"inference.py": ECHO.replace("str(data)", "'new'")})
    talk.send({"op": "prepare", "generation": 2, "changed": []})
    assert talk.receive().header["op"] == "prepared"
    talk.send({"op": "discard"})
    assert talk.ask().body == b"bytearray(b'hello') model"


def test_an_edit_that_the_model_depends_on_asks_for_a_fresh_worker(
    tmp_path: Path, talks: list[Talk]
) -> None:
    write(tmp_path, {"inference.py": ECHO})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    write(tmp_path, {"inference.py": ECHO.replace('return "model"', 'return "other"')})
    talk.send({"op": "prepare", "generation": 2, "changed": []})
    reply = talk.receive().header
    assert (reply["op"], reply["why"]) == (
        "needs_fresh",
        "model_fn, which the model depends on, changed",
    )


def test_a_broken_edit_is_reported_with_its_place(tmp_path: Path, talks: list[Talk]) -> None:
    write(tmp_path, {"inference.py": ECHO})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    write(tmp_path, {"inference.py": "def broken(:\n"})
    talk.send({"op": "prepare", "generation": 2, "changed": []})
    reply = talk.receive().header
    assert reply["op"] == "prepare_failed"
    assert reply["error"] == "SyntaxError: invalid syntax"
    assert reply["where"].endswith("inference.py:1")
    assert "def broken(:" in reply["traceback"]
    assert talk.ask().body == b"bytearray(b'hello') model"


def test_handlers_can_import_the_toolkit_where_it_is_not_installed(
    tmp_path: Path, talks: list[Talk]
) -> None:
    source = """
        from sagemaker_inference import content_types, decoder, encoder, errors, utils
        from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
        def model_fn(model_dir):
            return DefaultInferenceHandler()
        def input_fn(body, content_type):
            return decoder.decode(body, content_type)
        def predict_fn(data, model):
            if data.size > 2:
                raise errors.BaseInferenceToolkitError(422, "too many", "Unprocessable")
            return data * 2
        def output_fn(prediction, accept):
            return encoder.encode(prediction, utils.parse_accept(accept)[0])
    """
    write(tmp_path, {"inference.py": source})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    assert talk.receive().header["op"] == "loaded"
    asked = {"op": "invoke", "id": 1, "content_type": "application/json", "accept": None}
    talk.send(asked, b"[1, 2]")
    assert talk.receive().body == b"[2, 4]"
    talk.send(asked, b"[1, 2, 3]")
    refused = talk.receive()
    assert refused.header["status"] == 422
    assert refused.body.startswith(b"too many\nTraceback")
    talk.send({**asked, "content_type": "image/png"}, b"x")
    assert talk.receive().header["status"] == 415


def test_a_toolkit_that_is_installed_is_the_one_that_is_imported(
    tmp_path: Path, talks: list[Talk]
) -> None:
    files = {
        "sagemaker_inference/__init__.py": "REAL = True\n",
        "inference.py": """
            import sagemaker_inference
            def model_fn(model_dir):
                return str(sagemaker_inference.REAL)
            def transform_fn(model, data, content_type, accept):
                return model
        """,
    }
    write(tmp_path, files)
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    assert talk.ask().body == b"True"


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_torchscript_model_without_code_is_served_by_the_defaults(
    tmp_path: Path, talks: list[Talk]
) -> None:
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), str(tmp_path / "model.pt"))
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    assert talk.receive().header["functions"] == []
    asked = {"op": "invoke", "id": 1, "content_type": "application/json; charset=utf-8"}
    talk.send(asked, b"[[-1, 2.5]]")
    answer = talk.receive()
    assert answer.body == b"[[0.0, 2.5]]"
    assert answer.header["content_type"] == "application/json"


def test_what_a_handler_prints_is_not_mixed_with_frames(
    tmp_path: Path, talks: list[Talk], capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"inference.py": ECHO.replace("return body", "print('seen'); return body")})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    talk.receive()
    assert talk.ask().body == b"bytearray(b'hello') model"
    assert capsys.readouterr().out == "seen\n"


def test_the_seeds_handlers_load_though_they_log_wrongly(
    tmp_path: Path, talks: list[Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first article's serve.py: a logging call with a bad format, and a model that is None.
    monkeypatch.setattr("logging.raiseExceptions", False)
    source = """
        import json, logging, os
        log = logging.getLogger(__name__)
        def model_fn(model_dir):
            log.info("In model_fn(). DEPLOY_ENV=", os.environ.get("DEPLOY_ENV"))
        def input_fn(request_body, request_content_type):
            return [{"text": features[0]} for features in json.loads(request_body)]
        def predict_fn(input_data, model):
            return [model, *input_data]
        def output_fn(prediction, accept):
            return json.dumps(prediction)
    """
    write(tmp_path, {"inference.py": source})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    assert talk.receive().header["op"] == "loaded"
    talk.send({"op": "invoke", "id": 1, "content_type": "application/json"}, b'[["a"], ["b"]]')
    assert talk.receive().body == b'[null, {"text": "a"}, {"text": "b"}]'


STREAM = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, data, content_type, accept):
        for number in range(int(data)):
            yield f"{number} "
"""


def begun(tmp_path: Path, talks: list[Talk], source: str, **order: object) -> Talk:
    """Start a worker, and return its talk once it has loaded."""
    write(tmp_path, {"inference.py": source})
    talk = Talk(an_order(tmp_path, **order))
    talks.append(talk)
    assert talk.receive().header["op"] == "loaded"
    return talk


def test_a_stream_begins_has_parts_and_ends_with_the_answer(
    tmp_path: Path, talks: list[Talk]
) -> None:
    talk = begun(tmp_path, talks, STREAM)
    talk.send({"op": "invoke", "id": 3, "content_type": None, "accept": "text/plain"}, b"2")
    frames = [talk.receive() for _ in range(4)]
    assert [frame.header["op"] for frame in frames] == ["begin", "part", "part", "answer"]
    assert {frame.header["id"] for frame in frames} == {3}
    assert b"".join(frame.body for frame in frames) == b"0 1 "
    assert frames[0].header["content_type"] == "text/plain"
    assert frames[3].header["streamed"] is True


def test_a_stream_is_cancelled_between_two_parts_and_what_came_after_is_answered(
    tmp_path: Path, talks: list[Talk]
) -> None:
    talk = begun(tmp_path, talks, STREAM)
    talk.send({"op": "invoke", "id": 1, "content_type": None, "accept": None}, b"1000000000")
    assert talk.receive().header["op"] == "begin"
    talk.send({"op": "invoke", "id": 2, "content_type": None, "accept": None}, b"1")
    talk.send({"op": "cancel", "id": 1})
    while (frame := talk.receive()).header["op"] == "part":
        assert frame.header["id"] == 1
    assert (frame.header["op"], frame.header["id"]) == ("answer", 1)
    assert frame.header["cancelled"] is True
    assert [talk.receive().header["id"] for _ in range(3)] == [2, 2, 2]


def test_a_cancel_that_comes_too_late_is_passed_over(tmp_path: Path, talks: list[Talk]) -> None:
    talk = begun(tmp_path, talks, ECHO)
    talk.ask()
    talk.send({"op": "cancel", "id": 1})
    assert talk.ask(b"a").body == b"bytearray(b'a') model"


def test_a_worker_whose_daemon_has_gone_ends_in_the_middle_of_a_stream(
    tmp_path: Path, talks: list[Talk]
) -> None:
    talk = begun(tmp_path, talks, STREAM)
    talk.send({"op": "invoke", "id": 1, "content_type": None, "accept": None}, b"1000000000")
    talk.receive()
    assert talk.end() == 0


def test_requests_may_be_sent_ahead_and_are_answered_in_order(
    tmp_path: Path, talks: list[Talk]
) -> None:
    talk = begun(tmp_path, talks, ECHO)
    for number in range(5):
        talk.send({"op": "invoke", "id": number, "content_type": None, "accept": None}, b"a")
    assert [talk.receive().header["id"] for _ in range(5)] == [0, 1, 2, 3, 4]


def test_several_requests_in_one_frame_are_answered_in_one(
    tmp_path: Path, talks: list[Talk]
) -> None:
    more = "\n    def predict_batch_fn(inputs, model):\n        return [[str(inputs)]] * 2\n"
    write(tmp_path, {"inference.py": ECHO + more})
    talk = Talk(an_order(tmp_path))
    talks.append(talk)
    loaded = talk.receive().header
    assert (loaded["batches"], loaded["functions"][-1]) == (True, "predict_batch_fn")
    each: dict[str, Any] = {"content_type": None, "accept": None, "headers": {}}
    requests = [{"id": 1, "size": 1, **each}, {"id": 2, "size": 2, **each}]
    talk.send({"op": "invoke_batch", "requests": requests}, b"abb")
    answers = talk.receive()
    assert answers.header["op"] == "answers"
    together = b"[bytearray(b'a'), bytearray(b'bb')]"
    assert answers.body == together * 2
    sizes = [(answer["id"], answer["size"]) for answer in answers.header["answers"]]
    assert sizes == [(1, len(together)), (2, len(together))]


def test_a_request_over_the_limit_meets_no_handler(tmp_path: Path, talks: list[Talk]) -> None:
    talk = begun(tmp_path, talks, ECHO, max_request_bytes=4)
    answer = talk.ask(b"12345")
    assert (answer.header["status"], answer.body) == (413, b"")
    assert answer.header["phases_ms"] == {}
    assert talk.ask(b"1234").header["status"] == 200
