from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.deploy.pace import Pace
from sagelet.deploy.remote import WantedEndpointConfig, WantedModel
from sagelet.deploy.waiting import (
    wait_for_endpoint,
    wait_until_gone,
    wait_until_settled,
)
from sagelet.errors import EndpointNotFound, OperationFailed, WaitTimedOut
from tests.fakes import FakeRemote


class Time:
    """A monotonic clock that only pauses move."""

    def __init__(self) -> None:
        self.at = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    return Pace(now=time.now, pause=time.pause)


@pytest.fixture
def remote() -> FakeRemote:
    made = FakeRemote()
    made.create_model(WantedModel("m", "i", "u", "r", {}), {})
    for name in ("c1", "c2"):
        made.create_endpoint_config(WantedEndpointConfig(name, "m", "local"), {})
    return made


def test_a_new_endpoint_is_waited_for(remote: FakeRemote, pace: Pace, time: Time) -> None:
    remote.outcomes = ["Creating", "Creating", "Creating", "InService"]
    remote.create_endpoint("e", "c1", {})
    statuses: list[str] = []
    seen = wait_for_endpoint(
        remote, "e", config_name="c1", pace=pace, on_status=lambda s: statuses.append(s.status)
    )
    assert seen.status == "InService"
    assert statuses == ["Creating", "Creating", "InService"]
    assert time.pauses == sorted(time.pauses)


def test_a_failed_creation_gives_its_reason(remote: FakeRemote, pace: Pace) -> None:
    remote.outcomes = ["Creating", "Failed"]
    remote.create_endpoint("e", "c1", {})
    with pytest.raises(OperationFailed, match="ValueError: no such file"):
        wait_for_endpoint(remote, "e", config_name="c1", pace=pace)


def test_an_update_that_was_rolled_back_is_a_failure(remote: FakeRemote, pace: Pace) -> None:
    remote.create_endpoint("e", "c1", {})
    before = wait_for_endpoint(remote, "e", config_name="c1", pace=pace)
    remote.outcomes = ["Updating", "rolled back"]
    remote.update_endpoint("e", "c2")
    with pytest.raises(OperationFailed, match=r"\(it still serves c1\) failed: ValueError"):
        wait_for_endpoint(remote, "e", config_name="c2", before=before.last_modified_at, pace=pace)


def test_an_update_that_fails_faster_than_one_can_ask_is_seen(
    remote: FakeRemote, pace: Pace
) -> None:
    remote.create_endpoint("e", "c1", {})
    before = wait_for_endpoint(remote, "e", config_name="c1", pace=pace)
    remote.outcomes = ["rolled back"]
    remote.update_endpoint("e", "c2")
    with pytest.raises(OperationFailed):
        wait_for_endpoint(remote, "e", config_name="c2", before=before.last_modified_at, pace=pace)


def test_an_update_that_has_not_begun_is_no_failure(remote: FakeRemote, pace: Pace) -> None:
    remote.create_endpoint("e", "c1", {})
    before = wait_for_endpoint(remote, "e", config_name="c1", pace=pace)
    with pytest.raises(WaitTimedOut) as raised:
        wait_for_endpoint(
            remote,
            "e",
            config_name="c2",
            before=before.last_modified_at,
            timeout_s=5,
            pace=pace,
        )
    assert raised.value.status == "InService"


def test_waiting_ends_with_the_time(remote: FakeRemote, pace: Pace, time: Time) -> None:
    remote.outcomes = ["Creating"] * 1000
    remote.create_endpoint("e", "c1", {})
    with pytest.raises(WaitTimedOut, match="still Creating after 60 s"):
        wait_for_endpoint(remote, "e", config_name="c1", timeout_s=60, pace=pace)
    assert max(time.pauses) <= 10
    assert len(time.pauses) < 40


def test_an_endpoint_that_disappears_is_not_found(remote: FakeRemote, pace: Pace) -> None:
    with pytest.raises(EndpointNotFound):
        wait_for_endpoint(remote, "e", config_name="c1", pace=pace)


def test_waiting_until_settled_and_until_gone(remote: FakeRemote, pace: Pace) -> None:
    assert wait_until_settled(remote, "e", pace=pace) is None
    remote.outcomes = ["Creating", "Creating", "InService"]
    remote.create_endpoint("e", "c1", {})
    settled = wait_until_settled(remote, "e", pace=pace)
    assert settled is not None
    assert settled.status == "InService"
    remote.delete_endpoint("e")
    wait_until_gone(remote, "e", pace=pace)
    assert remote.find_endpoint("e") is None


@pytest.mark.parametrize("wait", [wait_until_settled, wait_until_gone])
def test_every_wait_has_an_end(
    remote: FakeRemote, pace: Pace, wait: object, tmp_path: Path
) -> None:
    remote.outcomes = ["Creating"] * 1000
    remote.create_endpoint("e", "c1", {})
    assert callable(wait)
    with pytest.raises(WaitTimedOut):
        wait(remote, "e", timeout_s=1, pace=pace)


def test_a_pace_of_its_own_does_pause() -> None:
    Pace(first_s=0.001).wait()
