"""botocore's own decoder is the judge of our messages."""

from __future__ import annotations

from typing import Any

from botocore.eventstream import EventStreamBuffer

from sagelet.wire import event_stream


def decoded(data: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


def test_an_event_carries_bytes() -> None:
    payload = bytes(range(256)) * 100
    (message,) = decoded(event_stream.event("PayloadPart", payload))
    assert message.payload == payload
    assert message.headers == {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }


def test_an_empty_event_is_one() -> None:
    (message,) = decoded(event_stream.event("PayloadPart", b""))
    assert message.payload == b""


def test_an_exception_carries_json() -> None:
    (message,) = decoded(event_stream.exception("ModelStreamError", {"Message": "né\n"}))
    assert message.to_response_dict()["status_code"] == 400
    assert message.payload == b'{"Message": "n\\u00e9\\n"}'
    assert message.headers[":exception-type"] == "ModelStreamError"


def test_messages_follow_one_another_without_a_gap() -> None:
    data = b"".join(event_stream.event("PayloadPart", b"%d" % number) for number in range(5))
    assert [each.payload for each in decoded(data)] == [b"0", b"1", b"2", b"3", b"4"]


def test_the_largest_part_is_taken_by_botocore() -> None:
    (message,) = decoded(event_stream.event("PayloadPart", b"x" * event_stream.PAYLOAD_AT_MOST))
    assert len(message.payload) == event_stream.PAYLOAD_AT_MOST


def test_a_header_is_unicode() -> None:
    (message,) = decoded(event_stream.message({"name": "日本"}, b""))
    assert message.headers == {"name": "日本"}
