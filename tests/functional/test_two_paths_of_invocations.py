"""The short path and ASGI give the same answers, byte for byte, to good requests and to bad."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sagelet.domain.invocation import Answer, Timing
from sagelet.errors import EndpointNotInService, ModelNotReady, QueueFull, VariantNotFound
from tests.door_rig import MAX_BODY_BYTES, PATIENCE_S, Door, a_door, read_answer
from tests.fakes import HeldClock
from tests.signed_requests import HOST, Fields, raw, signed

PATH = "/endpoints/sentiment/invocations"
BODY = b'{"text": "a fine film"}'
JSON = {"Content-Type": "application/json"}
NOW = HeldClock().now()
A_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Bend = Callable[[Fields], Fields]


@dataclass(frozen=True)
class Case:
    """A request, as it is signed and then bent; `is_short` is whether it takes the short path."""

    headers: dict[str, str]
    body: bytes = BODY
    path: str = PATH
    is_short: bool = False
    bend: Bend = list
    method: str = "POST"
    version: str = "1.1"
    sent_path: str | None = None
    minutes: int = 0
    key: str | None = None
    secret: str | None = None
    service: str = "sagemaker"
    sent_body: bytes | None = None

    def bytes(self) -> bytes:
        """Return the request as it is sent."""
        who = {"key": self.key, "secret": self.secret}
        fields = signed(
            self.path,
            self.body,
            self.headers,
            method=self.method,
            at=NOW + timedelta(minutes=self.minutes),
            service=self.service,
            **{name: value for name, value in who.items() if value is not None},
        )
        sent = self.body if self.sent_body is None else self.sent_body
        return raw(
            self.sent_path or self.path,
            self.bend(fields),
            sent,
            method=self.method,
            version=self.version,
        )


def without(*names: str) -> Bend:
    return lambda fields: [(name, value) for name, value in fields if name not in names]


def with_field(name: str, value: str) -> Bend:
    return lambda fields: [*without(name)(fields), (name, value)]


def also(name: str, value: str) -> Bend:
    return lambda fields: [*fields, (name, value)]


def named(name: str, value: str) -> dict[str, str]:
    return JSON | {f"X-Amzn-SageMaker-{name}": value}


def swapped_case(fields: Fields) -> Fields:
    return [(name.swapcase(), value) for name, value in fields]


GOOD = {
    "a plain one": Case(JSON, is_short=True),
    "an accept": Case(JSON | {"Accept": "text/csv"}, is_short=True),
    "no type at all": Case({}, is_short=True),
    "an empty body": Case(JSON, b"", is_short=True),
    "a body of several packets": Case(JSON, b"x" * 300_000, is_short=True),
    "the largest body": Case(JSON, b"x" * MAX_BODY_BYTES, is_short=True),
    "custom attributes": Case(named("Custom-Attributes", "trace=1"), is_short=True),
    "an inference id": Case(named("Inference-Id", "id 1"), is_short=True),
    "a session": Case(named("Session-Id", "NEW_SESSION"), is_short=True),
    "a target model": Case(named("Target-Model", "a.tar.gz"), is_short=True),
    "a target variant": Case(named("Target-Variant", "blue"), is_short=True),
    "explanations": Case(named("Enable-Explanations", "`true`"), is_short=True),
    "a prefix": Case(named("Prefix-Aware-Id", "p"), is_short=True),
    "headers that nobody knows": Case(JSON | {"X-Unknown": "?", "X-Amz-Meta": "1"}, is_short=True),
    "names in another case": Case(JSON, bend=swapped_case, is_short=True),
    "the last request of a connection": Case(JSON, bend=also("Connection", "close"), is_short=True),
    "four minutes late": Case(JSON, minutes=-4, is_short=True),
    "five minutes early": Case(JSON, minutes=5, is_short=True),
    "a name of 63 characters": Case(JSON, path=f"/endpoints/{'a' * 63}/invocations", is_short=True),
    "an escape in the path": Case(JSON, path="/endpoints/senti%6Dent/invocations"),
    "spaces to tidy": Case(JSON | {"X-Unknown": "a   b"}),
    "a tab": Case(JSON | {"X-Unknown": "a\tb"}),
    "an empty query": Case(JSON, sent_path=f"{PATH}?"),
    "a query": Case(JSON, path=f"{PATH}?a=1&b=2"),
    "a header twice": Case(JSON, bend=lambda fields: [*fields, ("Via", "a"), ("Via", "b")]),
    "UTF-8 in a header": Case(
        named("Custom-Attributes", "café"),
        bend=with_field("X-Amzn-SageMaker-Custom-Attributes", "caf\xc3\xa9"),
    ),
    "our own origin": Case(JSON, bend=also("Origin", f"http://{HOST}")),
    "HTTP/1.0": Case(JSON, version="1.0"),
    "spelt out": Case(JSON, sent_path=f"http://127.0.0.1:7543{PATH}"),
}

BAD = {
    "no signature": Case(JSON, bend=without("Authorization")),
    "two signatures": Case(JSON, bend=also("Authorization", "AWS4-HMAC-SHA256 x")),
    "another algorithm": Case(JSON, bend=with_field("Authorization", "Basic abc")),
    "a bare signature": Case(JSON, bend=with_field("Authorization", "Signature=abc")),
    "a signature that is no ASCII": Case(
        JSON, bend=with_field("Authorization", "\xffSignature=abc")
    ),
    "a wrong secret": Case(JSON, secret="guessed"),
    "an unknown key": Case(JSON, key="AKIDUNKNOWN"),
    "another service": Case(JSON, service="logs"),
    "another body": Case(JSON, sent_body=BODY[::-1]),
    "another path": Case(JSON, sent_path="/endpoints/other/invocations"),
    "six minutes late": Case(JSON, minutes=-6),
    "six minutes early": Case(JSON, minutes=6),
    "another day": Case(JSON, minutes=-24 * 60),
    "no date": Case(JSON, bend=without("X-Amz-Date")),
    "a date that is none": Case(JSON, bend=with_field("X-Amz-Date", "yesterday")),
    "an amz header that is not signed": Case(JSON, bend=also("X-Amz-Extra", "1")),
    "a foreign host": Case(JSON, bend=with_field("Host", "evil.com")),
    "no host": Case(JSON, bend=without("Host")),
    "two hosts": Case(JSON, bend=also("Host", "127.0.0.1:7543")),
    "an origin": Case(JSON, bend=also("Origin", "https://evil.com")),
    "another site's fetch": Case(JSON, bend=also("Sec-Fetch-Site", "cross-site")),
    "too many headers": Case(
        JSON, bend=lambda fields: [*fields, *((f"X-{n}", "1") for n in range(100))]
    ),
    "a name of 64 characters": Case(JSON, path=f"/endpoints/{'a' * 64}/invocations"),
    "an underscore in a name": Case(JSON, path="/endpoints/a_b/invocations"),
    "a dash in front": Case(JSON, path="/endpoints/-a/invocations"),
    "a dash behind": Case(JSON, path="/endpoints/a-/invocations"),
    "no name": Case(JSON, path="/endpoints//invocations"),
    "dots for a name": Case(JSON, path="/endpoints/%2e%2e/invocations"),
    "a name that is no UTF-8": Case(JSON, path="/endpoints/%ff/invocations"),
    "a slash in a name": Case(JSON, path="/endpoints/a%2Fb/invocations"),
    "a slash too many": Case(JSON, path=f"{PATH}/"),
    "a variant that is no name": Case(named("Target-Variant", "a_b")),
    "a variant of 64 characters": Case(named("Target-Variant", "a" * 64)),
    "a session that is no name": Case(named("Session-Id", "a b")),
    "long custom attributes": Case(named("Custom-Attributes", "a" * 1025)),
    "a long type": Case({"Content-Type": "a" * 1025}),
    "a long accept": Case(JSON | {"Accept": "a" * 1025}),
    "a long target model": Case(named("Target-Model", "a" * 1025)),
    "a long id": Case(named("Inference-Id", "a" * 65)),
    "an empty id": Case(JSON, bend=also("X-Amzn-SageMaker-Inference-Id", "")),
    "a container": Case(named("Target-Container-Hostname", "first")),
    "a component": Case(named("Inference-Component", "one")),
    "a line break in custom attributes": Case(
        JSON, bend=also("X-Amzn-SageMaker-Custom-Attributes", "a\r\nOrigin: https://evil.com")
    ),
    "a bare line feed": Case(JSON, bend=also("X-Amzn-SageMaker-Custom-Attributes", "a\nb: c")),
    "a bare return": Case(JSON, bend=also("X-Amzn-SageMaker-Custom-Attributes", "a\rb")),
    "a null": Case(JSON, bend=also("X-Amzn-SageMaker-Custom-Attributes", "a\0b")),
    "a body that is too large": Case(
        JSON, bend=with_field("Content-Length", str(MAX_BODY_BYTES + 1)), sent_body=b""
    ),
    "a body beyond all": Case(JSON, bend=with_field("Content-Length", "9" * 19), sent_body=b""),
    "a length that is no number": Case(JSON, bend=with_field("Content-Length", "12x")),
    "a length below none": Case(JSON, bend=with_field("Content-Length", "-1")),
    "a length that is too short": Case(JSON, bend=with_field("Content-Length", "5")),
    "two lengths": Case(JSON, bend=also("Content-Length", "5")),
    "a length and chunks": Case(JSON, bend=also("Transfer-Encoding", "chunked")),
    "a presigned query": Case(JSON, sent_path=f"{PATH}?X-Amz-Signature=1"),
    "a GET": Case(JSON, b"", method="GET"),
    "a HEAD": Case(JSON, b"", method="HEAD"),
    "a PUT": Case(JSON, method="PUT"),
    "another verb": Case(JSON, method="DELETE"),
    "an operation that is not served": Case(JSON, path="/endpoints/sentiment/async-invocations"),
}

MANY = Timing(0.2, {"input_fn": 0.5, "predict_fn": 12.25, "output_fn": 0.125}, 13.5)
SAID: dict[str, Answer | Exception] = {
    "nothing": Answer(200, b"", None, "v", 1),
    "a status of its own": Answer(201, b"made", "text/plain", "v", 1),
    "a redirection": Answer(302, b"", "text/plain", "v", 1),
    "bytes": Answer(200, bytes(range(256)), "application/x-npy", "v", 4, timing=MANY),
    "a type with a line break": Answer(200, b"x", "text/plain\r\nset-cookie: a", "v", 1),
    "a type beyond Latin": Answer(200, b"x", "text/plain; name=日本", "v", 1),
    "an empty type": Answer(200, b"x", "", "v", 1),
    "headers for the caller": Answer(
        200,
        b"x",
        "text/csv",
        "v",
        1,
        headers={
            "X-Amzn-SageMaker-Custom-Attributes": "caf\xe9\r\nx: y",
            "x-amzn-sagemaker-new-session-id": "s;\tExpires=2026-01-02T03:04:05Z",
            "X-Amzn-SageMaker-Closed-Session-Id": "s",
            "X-Internal": "no",
        },
    ),
    "headers that stay inside": Answer(200, b"x", "text/csv", "v", 1, headers={"x-a": "b"}),
    "a broken edit": Answer(
        200, b"x", "text/csv", "v", 3, headers={"x-sagelet-reload-error": "no\n日本"}, timing=MANY
    ),
    "what strict would not": Answer(200, b"x", "text/csv", "v", 3, differs=("a-b", "c-d")),
    "a handler's error": Answer(
        500, b"no\nTraceback", None, "v", 1, handler="predict_fn", where="code/a.py:3", timing=MANY
    ),
    "a worker's death": Answer(507, b'{"code": 507}', "application/json", "v", 1),
    "no answer": Answer(0, b"Your invocation timed out", None, "v", 1),
    "an error in bytes": Answer(500, b"\xff", None, "v", 1),
    "an endpoint that is not there": EndpointNotInService("sentiment", "000000000000"),
    "a variant that is not there": VariantNotFound("blue", "sentiment"),
    "a full queue": QueueFull("sentiment", 100),
    "a model that is being loaded": ModelNotReady(endpoint="sentiment", model="a.tar.gz"),
    "what nobody foresaw": RuntimeError("boom"),
}
for status in (400, 404, 415, 422, 503):
    SAID[f"status {status}"] = Answer(status, b"no", None, "v", 1)


@pytest.fixture
async def short(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path / "short") as door:
        yield door


@pytest.fixture
async def asgi(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path / "asgi", is_short=False) as door:
        yield door


async def _both(short: Door, asgi: Door, request: bytes) -> bytes:
    one, other = await short.exchange(request), await asgi.exchange(request)
    assert A_UUID.sub(b"ID", one) == A_UUID.sub(b"ID", other)
    assert short.host.invocations == asgi.host.invocations
    return one


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_request(short: Door, asgi: Door, name: str) -> None:
    answer = await _both(short, asgi, GOOD[name].bytes())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert len(short.host.invocations) == 1
    assert short.by_asgi == (0 if GOOD[name].is_short else 1)


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request(short: Door, asgi: Door, name: str) -> None:
    answer = await _both(short, asgi, BAD[name].bytes())
    assert re.match(rb"HTTP/1.1 4\d\d ", answer)
    assert short.host.invocations == []


FIRST = Case(JSON | {"Amz-Sdk-Request": "attempt=1"}, bend=also("Amz-Sdk-Invocation-Id", "1"))


@pytest.mark.parametrize("is_apart", [False, True])
@pytest.mark.parametrize("case", [*GOOD.values(), *BAD.values()], ids=[*GOOD, *BAD])
async def test_what_a_connection_asked_before_makes_no_difference(
    short: Door, asgi: Door, case: Case, *, is_apart: bool
) -> None:
    for first in (GOOD["a plain one"], FIRST):
        reader, writer = await short.connect()
        writer.write(first.bytes())
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        short.host.invocations.clear()
        asgi.host.invocations.clear()
        head, blank, body = case.bytes().partition(b"\r\n\r\n")
        writer.write(head + blank)
        if is_apart:
            await asyncio.sleep(0.002)
        writer.write(body)
        answer = await asyncio.wait_for(
            read_answer(reader, is_head=case.method == "HEAD"), PATIENCE_S
        )
        other = await asgi.exchange(case.bytes())
        assert A_UUID.sub(b"ID", answer) == A_UUID.sub(b"ID", other)
        assert short.host.invocations == asgi.host.invocations


@pytest.mark.parametrize("name", SAID)
async def test_an_answer_of_the_host(short: Door, asgi: Door, name: str) -> None:
    short.host.line = asgi.host.line = SAID[name]
    await _both(short, asgi, Case(JSON).bytes())
    assert short.by_asgi == 0


async def test_a_request_that_is_sent_again_is_served_again_until_its_time_is_over(
    short: Door,
) -> None:
    # AWS allows it: a signature says who asks, not how often.
    request = Case(JSON).bytes()
    for _ in range(3):
        assert (await short.exchange(request)).startswith(b"HTTP/1.1 200")
    short.clock.move(5 * 60 + 1)
    assert b"Signature expired" in await short.exchange(request)
    assert len(short.host.invocations) == 3


async def test_a_client_may_ask_on_with_other_bodies_times_and_numbers(short: Door) -> None:
    reader, writer = await short.connect()
    for number in range(3):
        case = Case(
            JSON, b"%d" % 10**number, minutes=number,
            bend=also("amz-sdk-invocation-id", f"{number}"),
        )  # fmt: skip
        writer.write(case.bytes())
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    assert [each.body for each in short.host.invocations] == [b"1", b"10", b"100"]
    assert short.by_asgi == 0


async def test_nothing_that_is_signed_can_be_changed_on_a_connection(short: Door) -> None:
    case = Case(JSON | {"amz-sdk-request": "attempt=1"})
    good, later = case.bytes(), replace(case, minutes=1).bytes()
    a_date, a_signature = re.compile(rb"\d{8}T\d{6}Z"), re.compile(rb"Signature=\w{64}")
    (other_date,), (other_signature,) = a_date.findall(later), a_signature.findall(later)
    bent = [
        good.replace(b"attempt=1", b"attempt=2"),
        a_date.sub(other_date, good),
        a_signature.sub(other_signature, good),
        a_signature.sub(b"Signature=", good),
        good.replace(BODY, BODY[::-1]),
        good.replace(b"sentiment", b"sentimend"),
        good.replace(b"application/json", b"application/jsom"),
    ]
    for each in bent:
        assert each != good
        reader, writer = await short.connect()
        writer.write(good)
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        short.host.invocations.clear()
        writer.write(each)
        answer = await read_answer(reader)
        assert b"InvalidSignatureException" in answer or b"IncompleteSignature" in answer
        assert short.host.invocations == []


async def test_nothing_of_a_request_can_be_changed_after_another_was_let_in(short: Door) -> None:
    case = Case(named("Custom-Attributes", "a"))
    assert (await short.exchange(case.bytes())).startswith(b"HTTP/1.1 200")
    bent = [
        replace(case, sent_body=BODY[::-1]),
        replace(case, sent_path="/endpoints/other/invocations"),
        replace(case, bend=with_field("X-Amzn-SageMaker-Custom-Attributes", "b")),
        replace(case, bend=with_field("Host", "localhost:7543")),
    ]
    for each in bent:
        assert b"InvalidSignatureException" in await short.exchange(each.bytes())
    assert len(short.host.invocations) == 1


async def test_lenient_signatures_are_lenient_on_both_paths(tmp_path: Path) -> None:
    case = Case(JSON, secret="guessed")
    async with a_door(tmp_path, lenient=True) as door:
        assert (await door.exchange(case.bytes())).startswith(b"HTTP/1.1 200")
        assert (await door.exchange(Case(JSON).bytes())).startswith(b"HTTP/1.1 200")
