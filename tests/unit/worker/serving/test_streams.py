"""An answer in parts: generators, iterators, and what handlers send before they return."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.serving import stand_in_ts
from sagelet.worker.serving.context import Context
from tests.serving_projects import Project, serving

MODEL = "    def model_fn(model_dir):\n        return None\n"
WORDS = """
    CLOSED = []

    def model_fn(model_dir):
        return ["a", "b", "c"]

    def input_fn(body, content_type):
        return body.decode()

    def predict_fn(data, model):
        try:
            for word in model:
                if word == data:
                    raise ValueError(f"not {word}")
                yield word
        finally:
            CLOSED.append(data)

    def output_fn(prediction, accept):
        for word in prediction:
            yield word.upper()
"""
SENDS = """
    from ts.handler_utils.utils import send_intermediate_predict_response

    def model_fn(model_dir):
        return None

    def transform_fn(model, data, content_type, accept, context):
        for part in ("a", {"b": 1}):
            send_intermediate_predict_response(
                [part], context.request_ids, "Intermediate Prediction success", 200, context
            )
        if data == b"fail":
            raise ValueError("half-way")
        return "c"
"""


class Caught:
    """What was sent; after `most` parts nobody wants more."""

    def __init__(self, most: int = 1000) -> None:
        self.headers: list[Mapping[str, Any]] = []
        self.parts: list[bytes] = []
        self._most = most

    def begin(self, header: Mapping[str, Any]) -> None:
        self.headers.append(header)

    def part(self, asked: object, body: bytes) -> bool:
        assert asked == 7
        self.parts.append(body)
        return len(self.parts) < self._most


def streamed(
    project: Project, body: bytes = b"hello", *, most: int = 1000, accept: str | None = None
) -> tuple[Caught, dict[str, Any], bytes]:
    sink = Caught(most)
    asked = {"op": "invoke", "id": 7, "content_type": "text/plain", "accept": accept, "headers": {}}
    header, last = project.responder.answer(asked, body, sink)
    return sink, header, last


def closed(project: Project) -> list[str]:
    module = project.responder.loaded.handlers.module
    assert module is not None
    found: list[str] = module.CLOSED
    return found


@pytest.fixture
def ts_offered() -> Iterator[None]:
    """The stand-in for TorchServe is on the path, and forgotten afterwards."""
    assert stand_in_ts.offer()
    yield
    stand_in_ts.withdraw()


def test_what_a_generator_yields_goes_out_part_by_part(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": WORDS}) as project:
        sink, header, last = streamed(project, accept="text/plain")
        assert closed(project) == ["hello"]
    assert sink.headers == [
        {"op": "begin", "id": 7, "status": 200, "content_type": "text/plain", "headers": {}}
    ]
    assert sink.parts == [b"A", b"B", b"C"]
    assert (header["op"], header["status"], header["streamed"], last) == ("answer", 200, True, b"")
    assert header["differs"] == ["generator"]
    assert set(header["phases_ms"]) == {"input_fn", "predict_fn", "output_fn"}


def test_parts_are_joined_where_nobody_takes_them_one_by_one(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": WORDS}) as project:
        header, body = project.ask()
    assert (header["status"], body) == (200, b"ABC")
    assert "streamed" not in header


def test_an_error_before_the_first_part_is_a_plain_answer(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": WORDS}) as project:
        sink, header, text = streamed(project, b"a")
    assert (sink.headers, sink.parts) == ([], [])
    assert (header["status"], "streamed" in header) == (500, False)
    assert text.startswith(b"not a\nTraceback")


def test_an_error_half_way_ends_the_stream_with_its_text(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": WORDS}) as project:
        sink, header, text = streamed(project, b"b")
    assert sink.parts == [b"A"]
    assert (header["status"], header["streamed"], header["handler"]) == (500, True, "predict_fn")
    assert header["where"] == f"{tmp_path.resolve()}/inference.py:14"
    assert header["error"] == "ValueError: not b"
    assert text.startswith(b"not b\nTraceback")


def test_a_stream_that_nobody_wants_is_closed(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": WORDS}) as project:
        sink, header, last = streamed(project, most=1)
        assert closed(project) == ["hello"]
        assert project.ask(b"next")[1] == b"ABC"
    assert sink.parts == [b"A"]
    assert (header["streamed"], header["cancelled"], last) == (True, True, b"")


def test_status_and_headers_set_before_the_first_part_go_before_it(tmp_path: Path) -> None:
    source = MODEL + (
        "    def transform_fn(model, data, content_type, accept, context):\n"
        "        context.set_response_status(201)\n"
        "        context.set_response_header(0, 'X-Kind', 'new')\n"
        "        yield b'a'\n"
        "        yield {'b': 1}\n"
    )
    with serving(tmp_path, {"inference.py": source}) as project:
        sink, header, _ = streamed(project)
    assert (sink.headers[0]["status"], sink.headers[0]["headers"]) == (201, {"X-Kind": "new"})
    assert sink.parts == [b"a", json.dumps({"b": 1}, indent=2).encode()]
    assert header["status"] == 201


def test_a_refusal_of_the_handlers_own_is_not_streamed(tmp_path: Path) -> None:
    source = MODEL + (
        "    def transform_fn(model, data, content_type, accept, context):\n"
        "        context.set_response_status(422)\n"
        "        yield 'not '\n"
        "        yield 'this'\n"
    )
    with serving(tmp_path, {"inference.py": source}) as project:
        sink, header, body = streamed(project)
    assert (sink.headers, header["status"], body) == ([], 422, b"not this")


def test_a_generator_without_items_is_an_empty_answer(tmp_path: Path) -> None:
    source = (
        MODEL
        + "    def transform_fn(model, data, content_type, accept):\n        return iter(())\n"
    )
    with serving(tmp_path, {"inference.py": source}) as project:
        sink, header, body = streamed(project)
    assert (sink.headers, header["status"], body) == ([], 200, b"")


@pytest.mark.parametrize(
    ("accept", "content_type", "parts"),
    [
        (None, "application/jsonlines", [b"[1, 2]\n", b"[3, 4]\n"]),
        ("text/csv", "text/csv", [b"1\n2\n", b"3\n4\n"]),
    ],
)
def test_the_default_output_writes_each_item_that_predict_fn_yields(
    tmp_path: Path, accept: str | None, content_type: str, parts: list[bytes]
) -> None:
    source = (
        MODEL
        + "    def input_fn(body, kind):\n        return body\n"
        + "    def predict_fn(data, model):\n        yield [1, 2]\n        yield [3, 4]\n"
    )
    with serving(tmp_path, {"inference.py": source}) as project:
        sink, _, _ = streamed(project, accept=accept)
    assert sink.headers[0]["content_type"] == content_type
    assert sink.parts == parts


def test_a_part_over_the_limit_ends_the_stream(tmp_path: Path) -> None:
    source = WORDS.replace('return ["a", "b", "c"]', 'return ["a", "bbbb"]')
    with serving(tmp_path, {"inference.py": source}, max_response_bytes=3) as project:
        sink, header, text = streamed(project)
    assert sink.parts == [b"A"]
    assert (header["status"], header["streamed"]) == (500, True)
    assert text.startswith(b"A part of the answer has 4 bytes; the limit is 3.")


@pytest.mark.usefixtures("ts_offered")
@pytest.mark.parametrize("contract", ["sane", "strict"])
def test_torchserves_call_sends_parts_and_the_result_is_the_last(
    tmp_path: Path, contract: str
) -> None:
    with serving(tmp_path, {"inference.py": SENDS}, contract=contract) as project:
        sink, header, last = streamed(project)
        assert project.ask()[1] == b'a{\n  "b": 1\n}c'
    assert sink.parts == [b"a", b'{\n  "b": 1\n}']
    assert (header["status"], header["streamed"], last) == (200, True, b"c")
    assert "differs" not in header


@pytest.mark.usefixtures("ts_offered")
def test_an_error_after_torchserves_call_ends_the_stream(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": SENDS}) as project:
        sink, header, text = streamed(project, b"fail")
    assert len(sink.parts) == 2
    assert (header["status"], header["streamed"]) == (500, True)
    assert text.startswith(b"half-way\nTraceback")


@pytest.mark.usefixtures("ts_offered")
def test_a_handler_that_sends_is_ended_when_nobody_wants_more(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": SENDS}) as project:
        sink, header, _ = streamed(project, most=1)
    assert (sink.parts, header["cancelled"]) == ([b"a"], True)


@pytest.mark.usefixtures("ts_offered")
def test_the_names_that_handlers_import_from_torchserve_are_there() -> None:
    from ts.metrics.dimension import Dimension
    from ts.metrics.metric_type_enum import MetricTypes
    from ts.protocol.otf_message_handler import send_intermediate_predict_response as older

    assert str(Dimension("Kind", "x")) == "Kind:x"
    assert MetricTypes.GAUGE.value == "gauge"
    assert callable(older)


def test_a_users_own_ts_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ts").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not stand_in_ts.offer()


def message(body: bytes, headers: dict[str, str]) -> bytes:
    """Return what TorchServe's own function writes to its socket."""

    def text(value: bytes) -> bytes:
        return struct.pack("!i", len(value)) + value

    pairs = b"".join(text(k.encode()) + text(v.encode()) for k, v in headers.items())
    return b"".join(
        [
            struct.pack("!i", 200),
            text(b"Intermediate Prediction success"),
            text(b"the-request-id"),
            text(b"text/plain"),
            struct.pack("!i", 200),
            text(b""),
            struct.pack("!i", len(headers)) + pairs,
            text(body),
            struct.pack("!i", -1),
        ]
    )


def test_the_message_of_a_torchserve_that_is_installed_is_understood() -> None:
    sent: list[object] = []
    context = Context("/m")
    context.on_part = sent.append
    context.cl_socket.sendall(message(b"part", {"ts_stream_next": "true"}))
    context.cl_socket.sendall(message(b"", {}))
    assert sent == [b"part", b""]


def test_a_part_of_no_request_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="there is no request"):
        Context("/m").send_part(b"")
