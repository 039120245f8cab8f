"""Payloads sent to an endpoint of this machine in the same moment, so that they are coalesced."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Sequence

from sagelet.cli.calls import Call
from sagelet.cli.comparing import Content
from sagelet.cli.context import App
from sagelet.cli.payloads import Payload
from sagelet.cli.signed import Connection, Signer

_AT_LEAST = 8
_TIMEOUT_S = 80.0
_FIRST_ERROR = 400


def ask_at_once(app: App, call: Call, payloads: Sequence[Payload]) -> list[Sequence[Content | str]]:
    """Send the payloads, the same ones several times if there are few; the answers to each.

    A text in place of an answer says what went wrong.
    """
    if not payloads:
        return []
    client = app.runtime(attempts=1)
    times = -(-_AT_LEAST // len(payloads))
    answers: list[Content | str] = [""] * (len(payloads) * times)
    together = threading.Barrier(len(answers))
    # Signed one after the other, beforehand: what follows is to take no time of its own.
    signers = [Signer(app, client, call.parameters(payload)) for payload in payloads]
    for signer in signers:
        signer.request()

    def send(index: int) -> None:
        connection = Connection(signers[index % len(payloads)], _TIMEOUT_S)
        together.wait()
        answers[index] = _answer(connection)

    threads = [threading.Thread(target=send, args=(i,), daemon=True) for i in range(len(answers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[index :: len(payloads)] for index in range(len(payloads))]


def _answer(connection: Connection) -> Content | str:
    try:
        status, headers, body = connection.send()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    if status >= _FIRST_ERROR:
        return f"{status}: {body.decode('utf-8', 'replace')}"
    return Content(body, headers.get("content-type"))
