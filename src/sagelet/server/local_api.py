"""The daemon's own API, for what AWS's has no words for: what runs now, and what happened.

    GET  /api/v1/endpoints/{name}
    GET  /api/v1/events?after=N&endpoint=NAME&wait=SECONDS
    POST /api/v1/jobs/{name}/kill

It answers JSON, an error as `{"message": …}`. Requests pass the gate and are signed like AWS's, for
the service `sagelet`. A request that is signed for S3 means a bucket that is called `api`.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from sagelet.control.faults import fault_of
from sagelet.domain.seams import EndpointFactsSource, HostNote
from sagelet.errors import EndpointNotInService, TrainingJobNotFound
from sagelet.server.bodies import ClientGone, Receive, unless_gone
from sagelet.wire.faults import Fault
from sagelet.wire.messages import RequestHead, Response
from sagelet.wire.scopes import credential_of, presigning
from sagelet.wire.signatures import Verifier

SERVICE = "sagelet"
PREFIX = "/api/v1/"

_HELD_AT_MOST_S = 30.0
_ENDPOINT = re.compile(r"/api/v1/endpoints/([^/]+)")
_KILL = re.compile(r"/api/v1/jobs/([^/]+)/kill")
_NUMBER = re.compile(r"[0-9]{1,18}")


def is_local(head: RequestHead) -> bool:
    """Say whether a request is for this API."""
    if not head.raw_path.startswith(PREFIX):
        return False
    credential = credential_of(head)
    return presigning(head) is None and (credential is None or credential.service != "s3")


def json_response(status: int, document: Mapping[str, Any]) -> Response:
    """Return a document as an answer."""
    body = json.dumps(document).encode() + b"\n"
    return Response(status, (("content-type", "application/json"),), body)


class LocalApi:
    """Answers for a host."""

    def __init__(
        self,
        *,
        host: EndpointFactsSource,
        kill_job: Callable[[str], Awaitable[None]],
        verifier: Verifier,
    ) -> None:
        """Keep the parts; `kill_job` ends a training job, by its name, without its grace."""
        self._host = host
        self._kill_job = kill_job
        self._verifier = verifier

    async def answer(self, head: RequestHead, receive: Receive) -> Response:
        """Answer a request that passed the gate.

        Raises:
            ClientGone: the peer left while the answer was held.
        """
        try:
            self._verifier.verify(head, body_sha256=None, service=SERVICE)
            return json_response(200, await self._document(head, receive))
        except ClientGone:
            raise
        except (EndpointNotInService, TrainingJobNotFound) as error:
            return json_response(404, {"message": str(error)})
        except Exception as error:  # noqa: BLE001  every failure has an answer; fault_of logs the unforeseen
            fault = fault_of(error, service=SERVICE)
            return json_response(fault.status, {"message": fault.message})

    async def _document(self, head: RequestHead, receive: Receive) -> Mapping[str, Any]:
        killed = _KILL.fullmatch(head.path)
        if killed is not None:
            if head.method != "POST":
                raise Fault("MethodNotAllowed", 405, f"{head.path} is asked for with POST")
            await self._kill_job(killed[1])
            return {}
        endpoint = _ENDPOINT.fullmatch(head.path)
        if endpoint is None and head.path != f"{PREFIX}events":
            raise Fault("NotFound", 404, f"there is no {head.path}")
        if head.method != "GET":
            raise Fault("MethodNotAllowed", 405, f"{head.path} is read with GET")
        if endpoint is not None:
            facts: Mapping[str, Any] = _plain(self._host.facts(endpoint[1]))
            return facts
        return await unless_gone(self._events(dict(head.query)), receive)

    async def _events(self, asked: Mapping[str, str]) -> Mapping[str, Any]:
        after = _whole_number("after", asked.get("after", "0"))
        until = asyncio.get_running_loop().time() + _seconds(asked.get("wait", "0"))
        seen = self._newest()
        # A number that has not been reached was another daemon's: this one has been started since.
        after = after if after <= seen else 0
        while True:
            news = self._host.notes.after(after, endpoint=asked.get("endpoint"))
            left = until - asyncio.get_running_loop().time()
            if news or left <= 0:
                return _shown(news, last=max((seen, *(note.number for note in news))))
            await self._host.notes.wait(seen, left)
            seen = self._newest()

    def _newest(self) -> int:
        notes = self._host.notes.after(0)
        return notes[-1].number if notes else 0


def _shown(notes: Sequence[HostNote], *, last: int) -> Mapping[str, Any]:
    events = [
        {
            "number": note.number,
            "at": note.at.isoformat(),
            "endpoint": note.endpoint,
            "variant": note.variant,
            "text": note.text,
            "is_problem": note.is_problem,
        }
        for note in notes
    ]
    return {"events": events, "last": last}


def _plain(value: Any) -> Any:  # noqa: ANN401  any part of facts
    """Return facts as JSON has them."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _whole_number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Fault("ValidationException", 400, f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise Fault("ValidationException", 400, f"wait is a number of seconds, not {text[:40]!r}")
    return min(max(seconds, 0.0), _HELD_AT_MOST_S)
