from __future__ import annotations

from sagelet.cli.calls import Call, Reply, server_timing
from sagelet.cli.payloads import Payload

HEADERS = {
    "x-sagelet-generation": "3",
    "server-timing": "queue;dur=0.1, predict_fn;dur=2.5, total;dur=3",
    "x-sagelet-strict-differs": "media-type-case, quality-values",
}


def test_a_call_sends_what_was_said_and_nothing_else() -> None:
    payload = Payload(b"[1]", "application/json")
    assert Call("e").parameters(payload) == {
        "EndpointName": "e",
        "ContentType": "application/json",
        "Body": b"[1]",
    }
    call = Call("e", "text/csv", "v", "m.tar.gz", "id-1", "trace=1")
    assert call.parameters(payload) == {
        "EndpointName": "e",
        "ContentType": "application/json",
        "Body": b"[1]",
        "Accept": "text/csv",
        "TargetVariant": "v",
        "TargetModel": "m.tar.gz",
        "InferenceId": "id-1",
        "CustomAttributes": "trace=1",
    }


def test_a_servers_timing_is_read_by_name() -> None:
    assert server_timing(HEADERS["server-timing"]) == {
        "queue": 0.1,
        "predict_fn": 2.5,
        "total": 3.0,
    }
    assert server_timing("") == {}
    assert server_timing('cache;desc="hit"') == {}


def test_an_answer_is_data_with_what_came_beside_it() -> None:
    reply = Reply(b'{"y": [1]}', 4.0, 200, "application/json; charset=utf-8", "v", HEADERS)
    assert reply.document() == {
        "status": 200,
        "ms": 4.0,
        "content_type": "application/json; charset=utf-8",
        "variant": "v",
        "generation": "3",
        "server_ms": {"queue": 0.1, "predict_fn": 2.5, "total": 3.0},
        "strict_differs": "media-type-case, quality-values",
        "answer": {"y": [1]},
    }


def test_an_answer_that_is_no_json_is_text() -> None:
    assert Reply(b"1,2\n", 1.0, content_type="text/csv").document()["answer"] == "1,2\n"
    assert Reply(b"{", 1.0, content_type="application/json").document()["answer"] == "{"
