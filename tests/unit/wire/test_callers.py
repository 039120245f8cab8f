from __future__ import annotations

from typing import Any

import pytest

from sagelet.wire.callers import is_waiter
from tests.wire.loopback import Loopback

PLAIN = (
    "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7 "
    "md/pyimpl#CPython m/{} cfg/retry-mode#standard Botocore/1.44.5"
)


@pytest.mark.parametrize("features", ["B", "B,Z", "D,Z,B,b"])
def test_botocores_letter_for_waiters_is_seen(features: str) -> None:
    assert is_waiter(PLAIN.format(features))


@pytest.mark.parametrize("features", ["Z", "b,Z", "D,BB,C", "E"])
def test_other_letters_are_not_waiters(features: str) -> None:
    assert not is_waiter(PLAIN.format(features))


@pytest.mark.parametrize("agent", ["", "curl/8.0 m/", "Mozilla/5.0", "aws-cli/2.0 md/B#1 x/m/B"])
def test_others_are_not_waiters(agent: str) -> None:
    assert not is_waiter(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "AWS-SageMaker-Python-SDK/2.257.7 Python/3.11 Boto3/1.44.5",
        "Boto3/1.44.5 m/Z lib/AWS-SageMaker-Python-SDK#3.27.0",
        "Boto3/1.44.5 lib/AWS-SageMakerCore#2.27.0",
    ],
)
def test_the_sagemaker_sdk_polls_and_names_itself(agent: str) -> None:
    assert is_waiter(agent)


def test_boto3s_own_waiter_is_recognised_and_its_plain_call_is_not() -> None:
    described: dict[str, Any] = {"EndpointName": "e", "EndpointStatus": "InService"}
    loopback = Loopback(described)
    client = loopback.client("sagemaker")
    client.get_waiter("endpoint_in_service").wait(EndpointName="e")
    assert is_waiter(loopback.last.head.headers["user-agent"])
    client.describe_endpoint(EndpointName="e")
    assert not is_waiter(loopback.last.head.headers["user-agent"])
