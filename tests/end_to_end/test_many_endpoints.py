"""Two hundred small endpoints on one machine: they come, answer, rest, wake, take edits and go."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.local_aws import LocalAws, eventually

ENDPOINTS = 200
LIVE_WORKERS = 64
"""As many as the daemon keeps while nobody asks for them."""
PATIENCE_S = 180.0
HANDLERS = """
def model_fn(model_dir):
    with open(model_dir + "/name.txt") as file:
        return file.read()


def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()


def predict_fn(data, model):
    return f"{data} {model}"


def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


@pytest.mark.full
def test_two_hundred_small_endpoints_are_served_within_bounds(
    own_daemon: LocalAws, tmp_path: Path
) -> None:
    local = own_daemon
    before = _descriptors(local)
    names = [f"small-{number}" for number in range(ENDPOINTS)]

    def create_all() -> None:
        for name in names:
            _deploy(local, name, tmp_path / name)

    _told("created", create_all)
    _told("in service", lambda: _all_are(local, {"InService": ENDPOINTS}))
    assert _descriptors(local) < before + 3 * (LIVE_WORKERS + 40)

    def invoke_all() -> None:
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda name: local.invoke(name, "to"), names))
        assert answers == [f"to {name}" for name in names]

    _told("each invoked", invoke_all)
    _told("at rest", lambda: _rests(local))
    workers = _workers(local)
    each_mb = sum(worker.memory_full_info().uss for worker in workers) / len(workers) / 2**20
    daemon_mb = psutil.Process(local.info.pid).memory_info().rss / 2**20
    print(f"{len(workers)} workers live, {each_mb:.0f} MB each; the daemon has {daemon_mb:.0f} MB")
    assert each_mb < 25
    assert daemon_mb < 100

    edited = tmp_path / names[-1] / "inference.py"
    edited.write_text(HANDLERS.replace('f"{data} {model}"', 'f"{data} {model} again"'))
    eventually(lambda: local.invoke(names[-1], "to").endswith("again"), "the edit")

    def delete_all() -> None:
        for name in names:
            local.sagemaker.delete_endpoint(EndpointName=name)
        _all_are(local, {})

    _told("deleted", delete_all)
    eventually(lambda: not _workers(local), "no worker lives")
    assert not list(local.home.endpoint("any").parent.glob("*"))
    eventually(lambda: _descriptors(local) < before + 20, "the descriptors are given back")


def _deploy(local: LocalAws, name: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    (folder / "name.txt").write_text(name)
    local.deploy(name, folder)


def _all_are(local: LocalAws, wanted: dict[str, int]) -> None:
    """Wait until so many endpoints have these states, and no other."""

    def counted() -> dict[str, int]:
        found: dict[str, int] = {}
        pages = local.sagemaker.get_paginator("list_endpoints").paginate(MaxResults=100)
        for each in (endpoint for page in pages for endpoint in page["Endpoints"]):
            found[each["EndpointStatus"]] = found.get(each["EndpointStatus"], 0) + 1
        return found

    eventually(lambda: counted() == wanted, f"{wanted}", within_s=PATIENCE_S)


def _rests(local: LocalAws) -> None:
    eventually(lambda: len(_workers(local)) <= LIVE_WORKERS, "idle endpoints are parked")


def _workers(local: LocalAws) -> list[psutil.Process]:
    (zygote,) = psutil.Process(local.info.pid).children()
    return zygote.children()


def _descriptors(local: LocalAws) -> int:
    return psutil.Process(local.info.pid).num_fds()


def _told(what: str, work: Callable[[], object]) -> None:
    """Do something and print how long it took."""
    begun = time.monotonic()
    work()
    print(f"{what} within {time.monotonic() - begun:.1f} s")
