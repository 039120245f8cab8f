"""`sagelet invoke`: what is sent, what is shown, what a handler's error looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import LocalAws

HANDLERS = """\
import json


def model_fn(model_dir):
    return 3


def transform_fn(model, body, content_type, accept, context):
    if body == "bad":
        raise ValueError("no good")
    if body == "parts":
        return (part for part in ("one ", "two ", "three"))
    if body == "breaks":
        return breaking()
    sent = context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
    return json.dumps([str(content_type), accept, len(body), sent]), accept


def breaking():
    yield "one "
    raise ValueError("half-way")
"""
RAISED = HANDLERS.splitlines().index('        raise ValueError("no good")') + 1
NAME = "invoked"


@pytest.fixture(scope="module")
def folder(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("invoked")
    (folder / "inference.py").write_text(HANDLERS)
    with local.deployed(NAME, folder) as described:
        assert described["EndpointStatus"] == "InService"
        yield folder


def test_files_are_sent_in_turn_and_known_by_their_suffix(
    local: LocalAws, folder: Path, tmp_path: Path
) -> None:
    for name in ("rows.csv", "image.png"):
        (tmp_path / name).write_bytes(b"12345")
    files = ("-f", str(tmp_path / "rows.csv"), "-f", str(tmp_path / "image.png"))
    said = local.sagelet("invoke", NAME, *files, "--custom-attributes", "trace=1").stdout
    assert [json.loads(line) for line in said.splitlines()] == [
        ["text/csv", "application/json", 5, "trace=1"],
        ["image/png", "application/json", 5, "trace=1"],
    ]


def test_what_is_piped_in_is_sent(local: LocalAws, folder: Path) -> None:
    said = local.sagelet("invoke", NAME, "--accept", "text/csv", stdin="[1]").stdout
    assert json.loads(said) == ["application/json", "text/csv", 3, None]
    assert "no payload" in local.sagelet("invoke", NAME, code=2).stderr


def test_verbose_tells_status_time_generation_and_the_servers_phases(
    local: LocalAws, folder: Path
) -> None:
    said = local.sagelet("invoke", NAME, "-d", "1", "-v").stderr
    assert re.search(
        r"status 200  time [\d.]+ ms  variant AllTraffic  generation \d+  "
        r"type application/json  server-timing queue;dur=.*transform_fn;dur=",
        said,
    )


def test_a_handlers_error_is_shown_with_its_place_and_the_users_frames(
    local: LocalAws, folder: Path
) -> None:
    failed = local.sagelet(
        "invoke", NAME, "-d", "bad", "--content-type", "text/csv", code=1, cwd=folder
    )
    assert failed.stdout == ""
    assert failed.stderr == (
        f"error[ModelError]: transform_fn failed at inference.py:{RAISED} (status 500): no good\n"
        "Traceback (most recent call last):\n"
        f'  File "{folder}/inference.py", line {RAISED}, in transform_fn\n'
        '    raise ValueError("no good")\n'
        "ValueError: no good\n"
        f"hint: to look around there: breakpoint() before line {RAISED}, "
        "and `sagelet dev --debug`\n"
    )


def test_a_handlers_error_is_data_with_json(local: LocalAws, folder: Path) -> None:
    failed = local.sagelet(
        "invoke", NAME, "-d", "bad", "--content-type", "text/csv", "--json", code=1
    )
    error = json.loads(failed.stdout)["error"]
    assert error["code"] == "ModelError"
    assert error["status"] == 500
    assert error["handler"] == "transform_fn"
    assert Path(error["file"]).name == "inference.py"
    assert error["line"] == RAISED


def test_the_answer_is_data_with_json(local: LocalAws, folder: Path) -> None:
    said = json.loads(local.sagelet("invoke", NAME, "-d", "[1]", "--json").stdout)
    assert said["answer"] == ["application/json", "application/json", 3, None]
    assert said["status"] == 200
    assert said["server_ms"]["transform_fn"] >= 0


def test_what_strict_would_do_otherwise_is_told_in_a_line(local: LocalAws, folder: Path) -> None:
    said = local.sagelet("invoke", NAME, "-d", "[1]", "--content-type", "Application/JSON")
    assert re.search("`contract: strict`, and AWS, would answer otherwise: .*case", said.stderr)


def test_repeated_requests_are_summed_up_and_the_answer_is_printed_once(
    local: LocalAws, folder: Path
) -> None:
    said = local.sagelet("invoke", NAME, "-d", "[1]", "--repeat", "40", "--concurrency", "4")
    assert json.loads(said.stdout)[2] == 3
    assert re.search(
        r"40 requests, 4 at a time, in [\d.]+ s: \d+ a second, 0 failed\n"
        r"latency  p50 [\d.]+  p90 [\d.]+  p99 [\d.]+  max [\d.]+  ms\n"
        r"server   queue [\d.]+  transform_fn [\d.]+  total [\d.]+  ms \(medians\)\n",
        said.stderr,
    )


def test_repeated_requests_are_figures_with_json(local: LocalAws, folder: Path) -> None:
    said = local.sagelet("invoke", NAME, "-d", "[1]", "--repeat", "10", "--json")
    figures = json.loads(said.stdout)
    assert (figures["requests"], figures["failures"], figures["concurrency"]) == (10, 0, 1)
    assert set(figures["latency_ms"]) == {"p50", "p90", "p99", "max"}
    assert figures["server_ms"]["transform_fn"] >= 0


def test_a_stream_is_printed_as_it_comes(local: LocalAws, folder: Path) -> None:
    said = local.sagelet(
        "invoke", NAME, "-d", "parts", "--content-type", "text/csv", "--stream"
    ).stdout
    assert said == "one two three"


def test_a_stream_that_breaks_shows_what_came_and_the_handlers_error(
    local: LocalAws, folder: Path
) -> None:
    failed = local.sagelet(
        "invoke", NAME, "-d", "breaks", "--content-type", "text/csv", "--stream", code=1
    )
    assert failed.stdout == "one "
    assert "half-way" in failed.stderr


def test_an_endpoint_describes_what_it_does(local: LocalAws, folder: Path) -> None:
    local.sagelet("invoke", NAME, "-d", "[1]")
    said = local.sagelet("describe", f"endpoint/{NAME}").stdout
    assert "EndpointStatus: InService" in said
    assert re.search(r"AllTraffic: generation \d+, contract sane", said)
    assert re.search(r"  workers   \d: pid \d+", said)
    described = json.loads(local.sagelet("describe", f"endpoint/{NAME}", "--json").stdout)
    (variant,) = described["Sagelet"]["variants"]
    assert variant["requests"] >= 1
    assert {"p50", "p90", "p99"} <= set(variant["latency_ms"])
