"""A container's own port, over real sockets: what is asked of a container, and its answers."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from sagelet.domain.invocation import Answer, StreamedAnswer
from sagelet.errors import (
    ModelDataMissing,
    ModelStreamBroken,
    NoRoomForModel,
    PortTaken,
    QueueFull,
    WorkerStartFailed,
)
from sagelet.server.container_ports import LoopbackPorts
from sagelet.server.gate import Gate
from sagelet.server.ports import Port
from tests.fakes import ScriptedContainer

NOT_FOUND = {
    "code": 404,
    "type": "ResourceNotFoundException",
    "message": "Requested resource is not found, please refer to API document.",
}
NOT_ALLOWED = {
    "code": 405,
    "type": "MethodNotAllowedException",
    "message": "Requested method is not allowed, please refer to API document.",
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401  JSON has no type
        """The body, which must be JSON as the model server writes it."""
        document = json.loads(self.body)
        assert self.body == (json.dumps(document, indent=2) + "\n").encode()
        assert self.headers["content-type"] == "application/json"
        return document


class Door:
    """A container behind a port, and requests to it."""

    def __init__(self, container: ScriptedContainer, port: Port) -> None:
        self.container = container
        self.port = port

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> Reply:
        def talk() -> Reply:
            connection = http.client.HTTPConnection(host, self.port.number, timeout=5)
            with closing(connection):
                connection.request(method, path, body, headers or {})
                with connection.getresponse() as response:
                    fields = {name.lower(): value for name, value in response.getheaders()}
                    return Reply(response.status, fields, response.read())

        return await asyncio.to_thread(talk)

    async def get(self, path: str) -> Reply:
        return await self.ask("GET", path)

    async def post(self, path: str, body: bytes = b"[1]", **headers: str) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, body, given)

    async def register(self, **said: str) -> Reply:
        return await self.post("/models", json.dumps(said).encode())


Opens = Callable[[ScriptedContainer], Any]


@pytest.fixture
async def opens() -> AsyncIterator[Opens]:
    """Return a function that opens a port for a container; what it opened is closed."""
    doors: list[Door] = []

    async def opened(container: ScriptedContainer) -> Door:
        ports = LoopbackPorts(gate=Gate(), max_body_bytes=1000)
        doors.append(Door(container, await ports.open(0, lambda: container)))
        return doors[-1]

    yield opened
    for door in doors:
        await door.port.close(1)


@pytest.fixture
async def door(opens: Opens) -> Door:
    door: Door = await opens(ScriptedContainer())
    return door


@pytest.fixture
async def many(opens: Opens) -> Door:
    """Return a container of many models, with none loaded."""
    container = ScriptedContainer()
    container.many = container
    container.loaded = {}
    door: Door = await opens(container)
    return door


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_ping_is_healthy_once_every_worker_has_loaded(door: Door, method: str) -> None:
    door.container.why_unhealthy = "1 of 2 workers have loaded"
    before = await door.ask(method, "/ping")
    door.container.why_unhealthy = ""
    after = await door.ask(method, "/ping")

    assert (before.status, before.document) == (
        500,
        {"status": "Unhealthy", "reason": "1 of 2 workers have loaded"},
    )
    assert (after.status, after.document) == (200, {"status": "Healthy"})


async def test_it_is_reached_by_both_of_loopbacks_addresses(door: Door) -> None:
    assert (await door.ask("GET", "/ping", host="::1")).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/invocations"),
        ("POST", "/invocations/"),
        ("PUT", "/invocations"),
        ("GET", "/invocations"),
        ("POST", "/invocations?model_name=model"),
        ("POST", "/models/model/invoke"),
        ("POST", "/predictions/model"),
        ("POST", "/model/predict"),
        ("POST", "/v1/models/model:predict"),
        ("POST", "/v2/models/model/infer"),
    ],
)
async def test_every_way_of_asking_reaches_the_handlers(door: Door, method: str, path: str) -> None:
    reply = await door.ask(method, path, b"[1]", {"Content-Type": "application/json"})

    assert (reply.status, reply.body) == (200, b"{}")
    (seen,) = door.container.invocations
    assert (seen.endpoint, seen.body, seen.target_model) == ("sentiment", b"[1]", None)


async def test_the_handlers_get_the_headers_and_the_last_accept(door: Door) -> None:
    def talk() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", door.port.number, timeout=5)
        connection.putrequest("POST", "/invocations", skip_accept_encoding=True)
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Accept", "text/csv")
        connection.putheader("Accept", "application/json")
        connection.putheader("X-Amzn-SageMaker-Custom-Attributes", "trace=1")
        connection.putheader("X-Mine", "yes")
        connection.putheader("Content-Length", "1")
        connection.endheaders(b"1")
        connection.getresponse().read()
        connection.close()

    await asyncio.to_thread(talk)

    (seen,) = door.container.invocations
    assert (seen.content_type, seen.accept) == ("text/csv", "application/json")
    assert seen.headers == {"X-Amzn-SageMaker-Custom-Attributes": "trace=1", "X-Mine": "yes"}


async def test_a_success_has_the_model_servers_headers(opens: Opens) -> None:
    said = {
        "X-Amzn-SageMaker-Custom-Attributes": "a",
        "content-length": "7",
        "bad name": "x",
        "x-line": "a\r\nb: c",
    }
    door = await opens(ScriptedContainer(Answer(201, b"1,2\n", "text/csv", "v", 1, said)))

    reply = await door.post("/invocations")

    assert (reply.status, reply.body) == (201, b"1,2\n")
    assert reply.headers["content-type"] == "text/csv"
    assert reply.headers["content-length"] == "4"
    assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "a"
    assert reply.headers["x-line"] == "a  b: c"
    assert reply.headers["pragma"] == "no-cache"
    assert reply.headers["cache-control"] == "no-cache; no-store, must-revalidate, private"
    assert reply.headers["expires"] == "Thu, 01 Jan 1970 00:00:00 UTC"
    assert len(reply.headers["x-request-id"]) == 36
    assert "connection" not in reply.headers


async def test_a_handlers_error_is_its_message_and_traceback_without_a_type(opens: Opens) -> None:
    body = b"no such word\nTraceback (most recent call last):\n"
    door = await opens(ScriptedContainer(Answer(500, body, None, "v", 1)))

    reply = await door.post("/invocations")

    assert (reply.status, reply.body) == (500, body)
    assert "content-type" not in reply.headers
    assert reply.headers["connection"] == "close"


async def test_a_request_that_takes_too_long_costs_its_worker(opens: Opens) -> None:
    door = await opens(ScriptedContainer(Answer(0, b"Your invocation timed out", None, "v", 1)))

    reply = await door.post("/invocations")

    assert reply.status == 500
    assert reply.document == {
        "code": 500,
        "type": "InternalServerException",
        "message": "Worker died.",
    }


async def test_a_full_queue_is_503(opens: Opens) -> None:
    door = await opens(ScriptedContainer(QueueFull(endpoint="sentiment", waiting=100)))

    reply = await door.post("/invocations")

    assert (reply.status, reply.document["type"]) == (503, "ServiceUnavailableException")


@pytest.mark.parametrize("limit", [10, None])
async def test_a_body_over_the_limit_is_refused_without_one(
    opens: Opens, limit: int | None
) -> None:
    container = ScriptedContainer()
    container.max_request_bytes = limit
    door = await opens(container)

    reply = await door.post("/invocations", b"x" * 1001)

    assert (reply.status, reply.body, reply.headers["content-length"]) == (413, b"", "0")
    assert container.invocations == []


async def test_a_stream_is_sent_as_chunks(opens: Opens) -> None:
    async def parts() -> AsyncGenerator[bytes, None]:
        yield b"one "
        yield b"two"

    door = await opens(ScriptedContainer(StreamedAnswer(200, "text/plain", "v", 1, parts())))

    reply = await door.post("/invocations")

    assert (reply.status, reply.body) == (200, b"one two")
    assert reply.headers["transfer-encoding"] == "chunked"
    assert reply.headers["content-type"] == "text/plain"


async def test_a_stream_that_breaks_ends_without_its_last_chunk(opens: Opens) -> None:
    async def parts() -> AsyncGenerator[bytes, None]:
        yield b"one "
        raise ModelStreamBroken(code="StreamBroken", message="no more")

    door = await opens(ScriptedContainer(StreamedAnswer(200, "text/plain", "v", 1, parts())))

    with pytest.raises(http.client.IncompleteRead):
        await door.post("/invocations")


@pytest.mark.parametrize(
    ("method", "path", "status", "document"),
    [
        ("GET", "/", 405, NOT_ALLOWED),
        ("GET", "/nowhere", 404, NOT_FOUND),
        ("POST", "/invocations/x", 404, NOT_FOUND),
        ("GET", "/models", 200, {"models": [{"modelName": "model", "modelUrl": "/opt/ml/model"}]}),
        ("GET", "/models/model", 200, {"modelName": "model", "modelUrl": "/opt/ml/model"}),
        ("POST", "/models", 405, NOT_ALLOWED),
        ("DELETE", "/models", 405, NOT_ALLOWED),
        ("DELETE", "/models/model", 405, NOT_ALLOWED),
        (
            "POST",
            "/invocations?model_name=zzz",
            404,
            {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: zzz"},
        ),
        (
            "GET",
            "/models/zzz",
            404,
            {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: zzz"},
        ),
        (
            "GET",
            "/execution-parameters",
            200,
            {"MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6},
        ),
    ],
)
async def test_the_rest_of_the_surface_is_the_model_servers(
    door: Door, method: str, path: str, status: int, document: dict[str, Any]
) -> None:
    reply = await door.ask(method, path)

    assert (reply.status, reply.document) == (status, document)


async def test_under_strict_it_is_torchserves_surface(opens: Opens) -> None:
    container = ScriptedContainer()
    container.is_strict = True
    door = await opens(container)

    assert (await door.get("/execution-parameters")).document == NOT_FOUND
    (described,) = (await door.get("/models/model")).document
    assert described["modelName"] == "model"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/ping", "/invocations", "/models"])
async def test_other_sites_are_refused(
    door: Door, headers: dict[str, str], status: int, path: str
) -> None:
    reply = await door.ask("POST", path, b"[1]", headers)

    assert reply.status == status
    assert "access-control-allow-origin" not in reply.headers
    assert door.container.invocations == []


async def test_models_are_loaded_listed_asked_and_unloaded(many: Door) -> None:
    url = "/opt/ml/models/a/model"
    loaded = await many.register(model_name="a", url=url)
    again = await many.register(model_name="a", url=url)

    assert (loaded.status, loaded.document) == (
        200,
        {"status": 'Model "a" Version: 1.0 registered with 1 initial workers'},
    )
    assert (again.status, again.document) == (
        409,
        {
            "code": 409,
            "type": "ConflictStatusException",
            "message": "Model version 1.0 is already registered for model a",
        },
    )
    assert (await many.get("/models/a")).document == {"modelName": "a", "modelUrl": url}
    assert (await many.post("/models/a/invoke")).status == 200
    assert (await many.post("/invocations?model_name=a")).status == 200
    assert [i.target_model for i in many.container.invocations] == ["a", "a"]
    gone = await many.ask("DELETE", "/models/a")
    assert (gone.status, gone.document) == (200, {"status": 'Model "a" unregistered'})
    assert (await many.ask("DELETE", "/models/a")).status == 404
    assert (await many.post("/models/a/invoke")).document["message"] == "Model not found: a"
    assert (await many.get("/ping")).status == 200


async def test_models_are_listed_by_pages(many: Door) -> None:
    many.container.loaded = {name: f"/{name}" for name in "abc"}

    first = (await many.get("/models?limit=2")).document
    second = (await many.get(f"/models?limit=2&next_page_token={first['nextPageToken']}")).document

    assert [model["modelName"] for model in first["models"]] == ["a", "b"]
    assert second == {"models": [{"modelName": "c", "modelUrl": "/c"}]}


@pytest.mark.parametrize(
    ("body", "status", "kind", "message"),
    [
        (b"{", 500, "JsonSyntaxException", "Expecting property name"),
        (b'{"model_name": "a"}', 400, "BadRequestException", "Parameter url is required."),
        (b'{"url": "/x"}', 400, "BadRequestException", "Parameter model_name is required."),
        (b"[]", 400, "BadRequestException", "Parameter url is required."),
        (
            b'{"model_name": "a", "url": "/missing"}',
            404,
            "ModelNotFoundException",
            "Model not found at: /missing",
        ),
        (
            b'{"model_name": "a", "url": "/broken"}',
            500,
            "InternalServerException",
            "Failed to start workers for model a version: 1.0",
        ),
        (
            b'{"model_name": "a", "url": "/huge"}',
            507,
            "InternalServerException",
            "Failed to start workers for model a version: 1.0",
        ),
        (b'{"model_name": "a", "url": "/one-more"}', 507, "InternalServerException", "No room"),
    ],
)
async def test_a_model_that_cannot_be_loaded_is_answered_as_by_the_model_server(
    many: Door, body: bytes, status: int, kind: str, message: str
) -> None:
    many.container.unloadable = {
        "/missing": ModelDataMissing(uri="/missing"),
        "/broken": WorkerStartFailed(what="model_fn", error="ValueError: no"),
        "/huge": WorkerStartFailed(what="model_fn", exit_code=-9),
        "/one-more": NoRoomForModel(name="a", limit=2),
    }

    reply = await many.post("/models", body)

    assert (reply.status, reply.document["code"], reply.document["type"]) == (status, status, kind)
    assert message in reply.document["message"]


async def test_a_container_of_many_models_must_be_told_which(many: Door) -> None:
    reply = await many.post("/invocations")

    assert reply.status == 400
    assert reply.document["message"] == "Parameter model_name is required."


async def test_a_port_that_is_taken_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is used by"):
            await LoopbackPorts(gate=Gate(), max_body_bytes=1).open(port, ScriptedContainer)


async def test_closing_lets_the_last_request_be_answered_and_frees_the_port(
    opens: Opens,
) -> None:
    release, started = asyncio.Event(), asyncio.Event()

    async def parts() -> AsyncGenerator[bytes, None]:
        started.set()
        await release.wait()
        yield b"done"

    door = await opens(ScriptedContainer(StreamedAnswer(200, None, "v", 1, parts())))
    number = door.port.number
    asking = asyncio.create_task(door.post("/invocations"))
    await asyncio.wait_for(started.wait(), 5)
    closing = asyncio.create_task(door.port.close(5))
    await asyncio.sleep(0)
    release.set()

    assert (await asking).body == b"done"
    await closing
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", number), timeout=5)


async def test_a_stream_that_nobody_hears_is_closed(opens: Opens) -> None:
    left, closed = asyncio.Event(), asyncio.Event()

    async def parts() -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await left.wait()
            while True:
                yield b"more"
                await asyncio.sleep(0)
        finally:
            closed.set()

    door = await opens(ScriptedContainer(StreamedAnswer(200, None, "v", 1, parts())))
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port.number)
    writer.write(b"GET /invocations HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"one")
    writer.close()
    left.set()

    await asyncio.wait_for(closed.wait(), 5)
