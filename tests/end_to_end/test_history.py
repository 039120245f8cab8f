"""What an endpoint was asked is kept and measured, also over a restart: `sagelet history`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.end_to_end.local_aws import LocalAws, eventually

HANDLERS = """\
def model_fn(model_dir):
    return "model"


def transform_fn(model, body, content_type, accept):
    if body == "bad":
        raise ValueError("no")
    return body, accept
"""
NAME = "kept"


def said(local: LocalAws, *arguments: str) -> Any:  # noqa: ANN401  JSON has no type
    return json.loads(local.sagelet("history", *arguments, "--json").stdout)


def calls(local: LocalAws) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said(local, "ls", NAME)["calls"]
    return found


def invocations(local: LocalAws, statistic: str = "Sum") -> float:
    now = datetime.now(UTC)
    dimensions = {"EndpointName": NAME, "VariantName": "AllTraffic"}
    shown = local.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )
    return float(sum(point[statistic] for point in shown["Datapoints"]))


def test_calls_are_kept_told_and_forgotten(own_daemon: LocalAws, tmp_path: Path) -> None:
    local, folder = own_daemon, tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    with local.deployed(NAME, folder):
        local.invoke(NAME, '["first", {"api_key": "s3cr3t"}]')
        eventually(lambda: len(calls(local)) == 1, "the call is in the history")
        (call,) = calls(local)
        assert (call["source"], call["status"]) == ("aws", 200)

        shown = local.sagelet("history", "show", NAME, call["id"]).stdout
        assert '["first", {"api_key": "[redacted]"}]' in shown
        (line,) = local.sagelet("history", "export", NAME).stdout.splitlines()
        assert "s3cr3t" not in line
        assert json.loads(line)["answer_body"] == {"text": '["first", {"api_key": "[redacted]"}]'}
        assert call["id"] in local.sagelet("history", "ls", NAME).stdout
        assert invocations(local) == 1

        assert said(local, "off")["is_on"] is False
        local.sagelet("down")
        local.sagelet("up", "--port", "0")
        local.wait_in_service(NAME)
        assert said(local, "ls", NAME)["is_on"] is False
        assert [each["id"] for each in calls(local)] == [call["id"]]
        local.invoke(NAME, "[2]")
        assert invocations(local) == 2

        assert said(local, "on")["is_on"] is True
        assert said(local, "clear", NAME, "-y") == {"calls": 1}
        assert calls(local) == []
