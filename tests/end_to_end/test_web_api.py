"""The JSON API of a real daemon: what it costs, and how it ends."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagelet.environments import credentials
from tests.end_to_end.local_aws import REGION, LocalAws

IDLE_BYTES = 60 * 10**6
PROMPT_S = 3.0


def ask(
    local: LocalAws, path: str, accept: str = "*/*"
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    key = credentials.load_or_create(local.home)
    request = AWSRequest("GET", local.info.address + path, headers={"Accept": accept})
    pair = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(pair, "sagelet", REGION).add_auth(request)
    connection = http.client.HTTPConnection(*local.place, timeout=20)
    connection.request("GET", path, headers=dict(request.headers.items()))
    return connection, connection.getresponse()


def test_a_daemon_that_nobody_looks_at_stays_small(own_daemon: LocalAws) -> None:
    own_daemon.sagelet("status")
    for path in ("/api/v1/endpoints", "/api/v1/events?after=0"):
        connection, answer = ask(own_daemon, path)
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        connection.close()
    daemon = psutil.Process(own_daemon.info.pid)
    assert daemon.memory_info().rss < IDLE_BYTES
    # What templates and descriptions need is loaded when a page is asked for.
    mapped = Path(f"/proc/{daemon.pid}/maps")
    if mapped.exists():
        assert "markupsafe" not in mapped.read_text()
        assert "nh3" not in mapped.read_text()


def test_a_daemon_with_open_streams_stops_at_once(own_daemon: LocalAws) -> None:
    paths = ("events?topics=jobs%2Clog%3A%2Fgroup", "logs?group=%2Fgroup&follow=1")
    open_ones = [ask(own_daemon, f"/api/v1/{path}", "text/event-stream") for path in paths * 5]
    assert [answer.read() for _, answer in open_ones if answer.status != 200] == []
    begun = time.monotonic()
    own_daemon.sagelet("down")
    assert time.monotonic() - begun < PROMPT_S
    for connection, answer in open_ones:
        answer.read()  # to its proper end: an answer that breaks off raises IncompleteRead
        connection.close()


def test_readiness_is_told_to_anybody(own_daemon: LocalAws) -> None:
    connection = http.client.HTTPConnection(*own_daemon.place, timeout=20)
    for path, begins in (("/readyz", b'{"is_ready": true'), ("/healthz", b'{"version"')):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read().startswith(begins)) == (200, True)
    connection.close()
